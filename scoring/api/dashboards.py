"""GET dashboard and metrics: a portfolio at a glance, and risk by region and hour."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request

from analytics.store.event_changes import names_of
from perf.cache.edge.policy import NO_STORE, EdgePolicy, depends_on
from perf.cache.lifetimes import DASHBOARD_TTL_S, QUERY_RESULT_TTL_S
from riskplatform.api.endpoints import Router, WithHeaders
from riskplatform.api.keys.access import READ_REGIONS, find_access
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_right, has_scope
from riskplatform.kernel.instants import AwareTime
from scoring import change_names
from scoring.api.access import find_region
from scoring.api.portfolios import portfolio_of
from scoring.api.schemas import Slug
from scoring.selectors.metrics_report import MetricsReport, report_metrics
from scoring.selectors.portfolio_dashboard import (
    PortfolioDashboard,
    Timeframe,
    asset_cells,
    read_dashboard,
)
from scoring.selectors.regions import list_regions

router = Router()


class DashboardQuery(Struct, forbid_unknown_fields=True):
    timeframe: Annotated[Timeframe, Meta(description="How far the events go back.")] = (
        "24h"
    )
    time: (
        Annotated[
            datetime, Meta(tz=True, description="End of the timeframe; default: now.")
        ]
        | None
    ) = None


class MetricsQuery(Struct, forbid_unknown_fields=True):
    region: Slug | None = None
    until: (
        Annotated[
            AwareTime,
            Meta(description="End of the report; default: the newest forecast."),
        ]
        | None
    ) = None
    limit: Annotated[
        int, Meta(ge=1, le=1_000, description="Rows, and hours to look back, at most.")
    ] = 168


@router.get(
    "dashboard/<uuid:portfolio_id>",
    has_scope(Scope.PORTFOLIOS_READ),
    edge=EdgePolicy(ttl_s=DASHBOARD_TTL_S),
)
def dashboard(
    request: Request, portfolio_id: UUID, query: DashboardQuery
) -> WithHeaders[PortfolioDashboard]:
    """Read three parts at once; one that fails says so, and the others stand."""
    portfolio = portfolio_of(request, portfolio_id)
    access = find_access(request)
    cells = asset_cells(portfolio, access)
    depends_on(
        request,
        change_names.portfolio(portfolio.pk),
        change_names.assessments_of(portfolio.pk),
        change_names.alerts_of(portfolio.organisation_id),
        *_names(region.slug for region in cells),
    )
    until = query.time or timezone.now()
    whole = read_dashboard(
        portfolio, cells, access, timeframe=query.timeframe, until=until
    )
    parts = (whole.metrics, whole.events, whole.alerts)
    is_whole = all(part.error is None for part in parts)
    return WithHeaders(whole, {} if is_whole else NO_STORE)


@router.get(
    "metrics",
    has_right(READ_REGIONS),
    edge=EdgePolicy(ttl_s=QUERY_RESULT_TTL_S),
)
def metrics_report(request: Request, query: MetricsQuery) -> WithHeaders[MetricsReport]:
    """Set what was forecast beside what happened, hour by hour, newest first."""
    regions = (
        list(list_regions(find_access(request)))
        if query.region is None
        else [find_region(request, query.region)]
    )
    depends_on(request, *_names(region.slug for region in regions))
    report = report_metrics(regions, until=query.until, limit=query.limit)
    return WithHeaders(report, {} if report.error is None else NO_STORE)


def _names(slugs: Iterable[str]) -> Iterator[str]:
    """Name the regions there are, and the forecasts and events of some of them."""
    known = list(slugs)
    yield change_names.REGIONS
    yield from map(change_names.forecasts_of, known)
    yield from names_of(known)
