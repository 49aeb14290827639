"""GET /reports and GET /reports/{name}: the reports about events."""

from datetime import date
from typing import Annotated, Any

from msgspec import Meta, Struct, field
from rest_framework.request import Request

from analytics.api.reading import READERS, Limit, events_to_read, parse_cells
from analytics.inbox.event_input import Name, Slug
from analytics.reads.report_queries import REPORTS
from analytics.reads.reports import ReportWindow, get_report, rows_of, run_report
from perf.deadlines import watched
from riskplatform.api.endpoints import Router
from riskplatform.api.inputs import refuse_repeats
from riskplatform.api.paging import Page
from riskplatform.api.renderers import Rows

router = Router()


class ReportQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    from_: Annotated[date, Meta(description="First day, in UTC.")] = field(name="from")
    to: Annotated[date, Meta(description="Day after the last.")]
    event_type: Name | None = None
    cells: Annotated[
        str, Meta(max_length=20_000, description="H3 cells, separated by commas.")
    ] = ""
    rings: Annotated[int, Meta(ge=0, le=10)] = 1
    limit: Limit = 20

    def window(self) -> ReportWindow:
        cells = parse_cells(self.cells, "cells")
        refuse_repeats(cells, "cells")
        return ReportWindow(
            region=self.region,
            since=self.from_,
            until=self.to,
            event_type=self.event_type,
            cells=cells,
            rings=self.rings,
            limit=self.limit,
        )


class ReportAnswer(Struct):
    report: str
    region: str
    from_: date = field(name="from")
    to: date
    rows: list[dict[str, Any]]


class ReportDescription(Struct):
    name: str
    description: str
    max_days: int


@router.get("reports", READERS)
def reports_list(request: Request) -> Page[ReportDescription]:
    """Name the reports there are, all on one page."""
    reports = [
        ReportDescription(report.name, report.description, report.max_days)
        for report in REPORTS.values()
    ]
    return Page(results=reports, next=None)


@router.get("reports/<slug:name>", READERS)
def reports_get(request: Request, name: str, query: ReportQuery) -> Rows[ReportAnswer]:
    """Answer a report on a region's events, in days of UTC."""
    report = get_report(name)
    owners = events_to_read(request, query.region)
    rows = rows_of(run_report(name, query.window(), owners=owners))
    answer = ReportAnswer(
        report=report.name,
        region=query.region,
        from_=query.from_,
        to=query.to,
        rows=[],
    )
    return Rows(answer, watched(rows))
