"""What reading events and reports takes and gives."""

from datetime import date, timedelta
from typing import Annotated, Any

from django.utils import timezone
from msgspec import Meta, Struct, field

from analytics.api.schemas import Limit
from analytics.grid import read_cell
from analytics.inbox.event_input import AwareTime, Name, Slug
from analytics.reads.event_lists import EventFilter
from riskplatform.api.inputs import invalid_input, refuse_repeats
from riskplatform.api.keys.access import EventOwners

DEFAULT_SPAN = timedelta(days=366)
CellText = Annotated[
    str, Meta(max_length=20, description="H3 cell, as a decimal or hex number.")
]


class EventFilterQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    from_: (
        Annotated[AwareTime, Meta(description="First moment; a year before `to`.")]
        | None
    ) = field(default=None, name="from")
    to: Annotated[AwareTime, Meta(description="End, exclusive; now.")] | None = None
    event_type: Name | None = None
    cell: CellText | None = None

    def as_filter(self, owners: EventOwners) -> EventFilter:
        until = self.to or timezone.now()
        since = self.from_ or until - DEFAULT_SPAN
        if since >= until:
            raise invalid_input("/from", "`from` has to lie before `to`.")
        return EventFilter(
            region=self.region,
            since=since,
            until=until,
            event_type=self.event_type,
            cell=None if self.cell is None else parse_cell(self.cell, "/cell"),
            owners=owners,
        )


class EventListQuery(EventFilterQuery, forbid_unknown_fields=True):
    after: (
        Annotated[str, Meta(max_length=1_000, description="`next` of the last page.")]
        | None
    ) = None
    limit: Limit = 100


class ExportQuery(EventFilterQuery, forbid_unknown_fields=True):
    format: (
        Annotated[str, Meta(description="csv, arrow or parquet; else by Accept.")]
        | None
    ) = None


class ListedEvent(Struct):
    external_id: str
    source: str
    region: str
    cell_id: int
    cell_hex: str
    occurred_at: AwareTime
    ingested_at: AwareTime
    event_type: str
    lat: float
    lon: float
    severity: float | None
    amount: float | None
    attributes: dict[str, str]


class EventPage(Struct):
    events: list[ListedEvent]
    next: Annotated[str | None, Meta(description="Give it as `after` to go on.")]


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

    def cell_list(self) -> list[int]:
        texts = [text for text in self.cells.split(",") if text]
        cells = [parse_cell(text, "/cells") for text in texts]
        refuse_repeats(cells, "/cells")
        return cells


class ReportAnswer(Struct):
    report: str
    region: str
    from_: date = field(name="from")
    to: date
    rows: list[dict[str, Any]]


def parse_cell(text: str, pointer: str) -> int:
    """Read an H3 cell, written in decimal or in hex digits."""
    cell = read_cell(text)
    if cell is None:
        raise invalid_input(pointer, f"{text[:40]!r} is not an H3 cell.")
    return cell
