"""GET dashboard and metrics: a portfolio at a glance, and risk by region and hour."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, Self, TypeVar
from uuid import UUID

from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request

from analytics.store.event_changes import names_of
from perf.cache.edge.policy import NO_STORE, EdgePolicy, depends_on
from perf.cache.lifetimes import DASHBOARD_TTL_S, QUERY_RESULT_TTL_S
from perf.concurrency import Outcome
from riskplatform.api.endpoints import Router, WithHeaders
from riskplatform.api.keys.access import READ_REGIONS, find_access
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_right, has_scope
from riskplatform.kernel.errors import ApplicationError
from riskplatform.kernel.instants import AwareTime
from scoring import change_names
from scoring.api.access import find_region
from scoring.api.portfolios import portfolio_of
from scoring.api.schemas import Slug
from scoring.models import Portfolio, Region
from scoring.selectors.metrics_report import (
    MetricsTable,
    RegionHour,
    tabulate_metrics,
)
from scoring.selectors.portfolio_dashboard import (
    TIMEFRAMES,
    AlertData,
    DashboardPart,
    EventData,
    RiskData,
    asset_cells,
    read_dashboard,
)
from scoring.selectors.regions import list_regions

Timeframe = Literal["24h", "7d", "30d"]
Data = TypeVar("Data")
router = Router()


class DashboardQuery(Struct, forbid_unknown_fields=True):
    timeframe: Timeframe = "24h"
    time: (
        Annotated[
            datetime, Meta(tz=True, description="End of the timeframe; default: now.")
        ]
        | None
    ) = None


class PartError(Struct):
    code: str
    detail: str

    @classmethod
    def of(cls, error: ApplicationError) -> Self:
        return cls(code=error.code, detail=error.message)


class Part(Struct, Generic[Data]):
    as_of: AwareTime | None
    data: Data | None
    error: PartError | None

    @classmethod
    def of(cls, outcome: Outcome[DashboardPart[Any]]) -> Self:
        part, error = outcome.value, outcome.error
        return cls(
            as_of=None if part is None else part.as_of,
            data=None if part is None else part.data,
            error=None if error is None else PartError.of(error),
        )


class RiskPart(Part[RiskData]):
    """`as_of` is the time the figures know up to; of data and error, one is null."""


class EventPart(Part[EventData]):
    pass


class AlertPart(Part[AlertData]):
    pass


class PortfolioDashboard(Struct):
    portfolio_id: UUID
    timeframe: Timeframe
    since: AwareTime
    until: AwareTime
    metrics: RiskPart
    events: EventPart
    alerts: AlertPart


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
    span = TIMEFRAMES[query.timeframe]
    until = query.time or timezone.now()
    access = find_access(request)
    cells = asset_cells(portfolio, access)
    depends_on(request, *_names(portfolio, cells))
    parts = read_dashboard(portfolio, cells, access=access, span=span, until=until)
    is_whole = all(outcome.error is None for outcome in parts.values())
    whole = PortfolioDashboard(
        portfolio_id=portfolio.pk,
        timeframe=query.timeframe,
        since=until - span,
        until=until,
        metrics=RiskPart.of(parts["metrics"]),
        events=EventPart.of(parts["events"]),
        alerts=AlertPart.of(parts["alerts"]),
    )
    return WithHeaders(whole, {} if is_whole else NO_STORE)


def _names(portfolio: Portfolio, regions: Collection[Region]) -> Iterator[str]:
    yield change_names.REGIONS
    yield change_names.portfolio(portfolio.pk)
    yield change_names.assessments_of(portfolio.pk)
    yield change_names.alerts_of(portfolio.organisation_id)
    for region in regions:
        yield change_names.forecasts_of(region.slug)
    yield from names_of(region.slug for region in regions)


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


class MetricsReport(Struct):
    since: AwareTime
    until: AwareTime
    results: list[RegionHour]
    error: Annotated[
        PartError | None, Meta(description="Why there are no observed counts.")
    ]

    @classmethod
    def of(cls, table: MetricsTable) -> Self:
        error = None if table.error is None else PartError.of(table.error)
        return cls(
            since=table.since, until=table.until, results=table.rows, error=error
        )


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
    depends_on(request, change_names.REGIONS, *_names_of_regions(regions))
    table = tabulate_metrics(regions, until=query.until, limit=query.limit)
    headers = {} if table.error is None else NO_STORE
    return WithHeaders(MetricsReport.of(table), headers)


def _names_of_regions(regions: Sequence[Region]) -> Iterator[str]:
    for region in regions:
        yield change_names.forecasts_of(region.slug)
    yield from names_of(region.slug for region in regions)
