"""GET dashboard: the risk, the events and the alerts of a portfolio at a glance."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.store.event_changes import names_of
from perf.cache.edge.policy import NO_STORE, EdgePolicy, depends_on
from perf.cache.lifetimes import DASHBOARD_TTL_S
from perf.concurrency import Outcome
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.keys.access import find_access
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.keys.principal import get_principal
from riskplatform.kernel.errors import ApplicationError
from scoring import change_names
from scoring.api.dashboard_schemas import DashboardQuery, PortfolioDashboard
from scoring.models import Portfolio, Region
from scoring.selectors.portfolio_dashboard import (
    TIMEFRAMES,
    DashboardPart,
    asset_cells,
    read_dashboard,
)
from scoring.selectors.portfolios import get_portfolio


class PortfolioDashboardView(APIView):
    permission_classes = (has_scope(Scope.PORTFOLIOS_READ),)
    edge = EdgePolicy(ttl_s=DASHBOARD_TTL_S)

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
        until = query.time or timezone.now()
        access = find_access(request)
        cells = asset_cells(portfolio, access)
        depends_on(request, *_names(portfolio, cells))
        parts = read_dashboard(portfolio, cells, access=access, span=span, until=until)
        is_whole = all(outcome.error is None for outcome in parts.values())
        return Response(
            headers={} if is_whole else NO_STORE,
            data={
                "portfolio_id": str(portfolio.pk),
                "timeframe": query.timeframe,
                "since": until - span,
                "until": until,
                **{name: _part(outcome) for name, outcome in parts.items()},
            },
        )


def _names(portfolio: Portfolio, regions: Collection[Region]) -> Iterator[str]:
    yield change_names.REGIONS
    yield change_names.portfolio(portfolio.pk)
    yield change_names.assessments_of(portfolio.pk)
    yield change_names.alerts_of(portfolio.organisation_id)
    for region in regions:
        yield change_names.forecasts_of(region.slug)
    yield from names_of(region.slug for region in regions)


def _part(outcome: Outcome[DashboardPart]) -> dict[str, Any]:
    part = outcome.value
    if part is None:
        return {"as_of": None, "data": None, "error": _error(outcome.error)}
    return {"as_of": part.as_of, "data": part.data, "error": None}


def _error(error: ApplicationError | None) -> dict[str, str] | None:
    return None if error is None else {"code": error.code, "detail": error.message}
