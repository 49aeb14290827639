"""GET /reports and GET /reports/{name}: the named questions about events."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.event_schemas import ReportAnswer, ReportQuery
from analytics.api.reading import ReadingView, events_to_read
from analytics.reads.report_rows import rows_of
from analytics.reads.reports import REPORTS, ReportWindow, get_report, run_report
from perf.deadlines import watched
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.renderers import rows_response


class ReportListView(ReadingView):
    @extend_schema(operation_id="reports_list", responses={200: dict[str, Any]})
    def get(self, request: Request) -> Response:
        """Name the reports there are."""
        listed = [
            {
                "name": report.name,
                "description": report.description,
                "max_days": report.max_days,
            }
            for report in REPORTS.values()
        ]
        return Response({"reports": listed})


class ReportView(ReadingView):
    @extend_schema(
        operation_id="reports_get",
        parameters=query_parameters(ReportQuery),
        responses={(200, "application/json"): body_schema(ReportAnswer)},
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        """Answer a report on a region's events, in days of UTC."""
        report = get_report(name)
        query = decode_query(request, ReportQuery)
        owners = events_to_read(request, query.region)
        window = ReportWindow(
            region=query.region,
            since=query.from_,
            until=query.to,
            event_type=query.event_type,
            cells=query.cell_list(),
            rings=query.rings,
            limit=query.limit,
        )
        head = {
            "report": report.name,
            "region": query.region,
            "from": query.from_,
            "to": query.to,
        }
        rows = rows_of(run_report(name, window, owners=owners))
        return rows_response(head, "rows", watched(rows))
