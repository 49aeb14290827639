"""GET /reports and GET /reports/{name}: the reports about events."""

from datetime import date
from typing import Annotated, Any

from msgspec import Meta, Struct, field
from rest_framework.request import Request

from analytics.api.reading import (
    READERS,
    Limit,
    Moment,
    events_to_read,
    parse_cells,
)
from analytics.inbox.event_input import Name, Slug
from analytics.reads.report_queries import REPORTS
from analytics.reads.reports import (
    ReportWindow,
    days_between,
    get_report,
    note_on_report,
    rows_of,
    run_report,
)
from perf.deadlines import watched
from riskplatform.api.endpoints import Router
from riskplatform.api.inputs import read_moment, refuse_repeats
from riskplatform.api.paging import Page
from riskplatform.api.renderers import Rows

router = Router()


class ReportQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    from_: (
        Annotated[
            Moment, Meta(description="First day, in UTC; four weeks before `to`.")
        ]
        | None
    ) = field(default=None, name="from")
    to: (
        Annotated[
            Moment,
            Meta(
                description="Day after the last; tomorrow. Of a time within a day, the"
                " whole day counts."
            ),
        ]
        | None
    ) = None
    event_type: (
        Annotated[Name, Meta(description="Events of this type only.")] | None
    ) = None
    cells: Annotated[
        str, Meta(max_length=20_000, description="H3 cells, separated by commas.")
    ] = ""
    rings: Annotated[
        int, Meta(ge=0, le=10, description="Rings of cells around each of the cells.")
    ] = 1
    limit: Limit = 20

    def window(self) -> ReportWindow:
        cells = parse_cells(self.cells, "cells")
        refuse_repeats(cells, "cells")
        since, until = days_between(
            read_moment(self.from_, "from") if self.from_ else None,
            read_moment(self.to, "to") if self.to else None,
        )
        return ReportWindow(
            region=self.region,
            since=since,
            until=until,
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
    note: Annotated[
        str | None, Meta(description="Where the newest event is, if not in there.")
    ]
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
    window = query.window()
    columns = run_report(name, window, owners=owners)
    is_named = query.from_ or query.to
    answer = ReportAnswer(
        report=report.name,
        region=query.region,
        from_=window.since,
        to=window.until,
        note=None if is_named else note_on_report(window, columns),
        rows=[],
    )
    return Rows(answer, watched(rows_of(columns)))
