"""GET dashboard: the risk, the events and the alerts of a portfolio at a glance."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from perf.concurrency import Outcome
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.keys.principal import get_principal
from riskplatform.kernel.errors import ApplicationError
from scoring.api.dashboard_schemas import DashboardQuery, PortfolioDashboard
from scoring.api.instants import checked_instant
from scoring.selectors.portfolio_dashboard import DashboardPart
from scoring.selectors.portfolios import get_portfolio
from scoring.services.portfolio_dashboard import TIMEFRAMES, read_dashboard


class PortfolioDashboardView(APIView):
    permission_classes = (has_scope(Scope.PORTFOLIOS_READ),)

    @extend_schema(
        operation_id="dashboard",
        parameters=query_parameters(DashboardQuery),
        responses={(200, "application/json"): body_schema(PortfolioDashboard)},
    )
    def get(self, request: Request, portfolio_id: UUID) -> Response:
        """Read three parts at once; one that fails says so, and the others stand."""
        query = decode_query(request, DashboardQuery)
        portfolio = get_portfolio(get_principal(request).organisation, portfolio_id)
        span = TIMEFRAMES[query.timeframe]
        until = checked_instant(query.time, name="time") or timezone.now()
        parts = read_dashboard(portfolio, span=span, until=until)
        return Response(
            {
                "portfolio_id": str(portfolio.pk),
                "timeframe": query.timeframe,
                "since": until - span,
                "until": until,
                **{name: _part(outcome) for name, outcome in parts.items()},
            }
        )


def _part(outcome: Outcome[DashboardPart]) -> dict[str, Any]:
    part = outcome.value
    if part is None:
        return {"as_of": None, "data": None, "error": _error(outcome.error)}
    return {"as_of": part.as_of, "data": part.data, "error": None}


def _error(error: ApplicationError | None) -> dict[str, str] | None:
    return None if error is None else {"code": error.code, "detail": error.message}
