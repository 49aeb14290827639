"""GET metrics: risk by region and hour."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Self

from msgspec import Meta, Struct
from rest_framework.request import Request

from analytics.store.event_changes import names_of
from perf.cache.edge.policy import NO_STORE, EdgePolicy, depends_on
from perf.cache.lifetimes import QUERY_RESULT_TTL_S
from riskplatform.api.endpoints import Router, WithHeaders
from riskplatform.api.keys.access import READ_REGIONS, find_access
from riskplatform.api.keys.permissions import has_right
from riskplatform.kernel.instants import AwareTime
from scoring import change_names
from scoring.api.access import find_region
from scoring.api.portfolio_dashboard import PartError
from scoring.api.schemas import Slug
from scoring.models import Region
from scoring.selectors.metrics_report import (
    MetricsTable,
    RegionHour,
    tabulate_metrics,
)
from scoring.selectors.regions import list_regions

router = Router()


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
    depends_on(request, change_names.REGIONS, *_names(regions))
    table = tabulate_metrics(regions, until=query.until, limit=query.limit)
    headers = {} if table.error is None else NO_STORE
    return WithHeaders(MetricsReport.of(table), headers)


def _names(regions: Sequence[Region]) -> Iterator[str]:
    for region in regions:
        yield change_names.forecasts_of(region.slug)
    yield from names_of(region.slug for region in regions)
