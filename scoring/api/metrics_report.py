"""GET metrics: risk by region and hour."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.store.event_changes import names_of
from perf.cache.edge.policy import NO_STORE, EdgePolicy, depends_on
from perf.cache.lifetimes import QUERY_RESULT_TTL_S
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.keys.access import READ_REGIONS, find_access
from riskplatform.api.keys.permissions import has_right
from scoring import change_names
from scoring.api.access import find_region
from scoring.api.dashboard_schemas import MetricsQuery, MetricsReport
from scoring.models import Region
from scoring.selectors.metrics_report import tabulate_metrics
from scoring.selectors.regions import list_regions


class MetricsReportView(APIView):
    permission_classes = (has_right(READ_REGIONS),)
    edge = EdgePolicy(ttl_s=QUERY_RESULT_TTL_S)

    @extend_schema(
        operation_id="metrics_report",
        parameters=query_parameters(MetricsQuery),
        responses={(200, "application/json"): body_schema(MetricsReport)},
    )
    def get(self, request: Request) -> Response:
        """Set what was forecast beside what happened, hour by hour, newest first."""
        query = decode_query(request, MetricsQuery)
        regions = (
            list(list_regions(find_access(request)))
            if query.region is None
            else [find_region(request, query.region)]
        )
        depends_on(request, change_names.REGIONS, *_names(regions))
        until = query.until
        table = tabulate_metrics(regions, until=until, limit=query.limit)
        error = table.error
        return Response(
            headers={} if error is None else NO_STORE,
            data={
                "since": table.since,
                "until": table.until,
                "results": [asdict(row) for row in table.rows],
                "error": None
                if error is None
                else {"code": error.code, "detail": error.message},
            },
        )


def _names(regions: Sequence[Region]) -> Iterator[str]:
    for region in regions:
        yield change_names.forecasts_of(region.slug)
    yield from names_of(region.slug for region in regions)
