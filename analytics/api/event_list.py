"""GET /events and GET /events/export: events one by one, and as files."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, islice
from typing import Annotated, Final, Self

import msgspec
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from msgspec import Meta, Struct, field
from rest_framework.request import Request

from analytics.api import events
from analytics.api.reading import READERS, Limit, Moment, events_to_read
from analytics.errors import CursorError
from analytics.grid import CellDigits, parse_cell
from analytics.inbox.event_input import Name, Slug
from analytics.models import Event
from analytics.reads.event_lists import (
    EventFilter,
    Position,
    iterate_rows,
    list_events,
    note_on_nothing,
    position_of,
)
from analytics.reads.exports import export_pieces
from analytics.store.clickhouse import from_milliseconds, to_milliseconds
from perf.deadlines import keeping_deadline
from riskplatform.api.inputs import read_moment
from riskplatform.api.keys.access import EventOwners
from riskplatform.api.tables import ArrowRenderer, CsvRenderer, ParquetRenderer
from riskplatform.kernel.errors import (
    ApplicationError,
    FieldFault,
    InvalidInputError,
)
from riskplatform.kernel.instants import AwareTime

# Events are posted to the address where they are listed.
router = events.router
DEFAULT_SPAN: Final = timedelta(days=366)
EXPORTS: Final = (CsvRenderer, ArrowRenderer, ParquetRenderer)

CellText = Annotated[
    str, Meta(max_length=20, description="H3 cell, as a decimal or hex number.")
]


class EventFilterQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    from_: (
        Annotated[Moment, Meta(description="First moment; a year before `to`.")] | None
    ) = field(default=None, name="from")
    to: Annotated[Moment, Meta(description="End, exclusive; now.")] | None = None
    event_type: (
        Annotated[Name, Meta(description="Events of this type only.")] | None
    ) = None
    cell: CellText | None = None

    def as_filter(self, owners: EventOwners) -> EventFilter:
        until = read_moment(self.to, "to") if self.to else timezone.now()
        since = read_moment(self.from_, "from") if self.from_ else until - DEFAULT_SPAN
        if since >= until:
            raise InvalidInputError("`from` has to lie before `to`.", field="from")
        return EventFilter(
            region=self.region,
            since=since,
            until=until,
            event_type=self.event_type,
            cell=None if self.cell is None else parse_cell(self.cell, field="cell"),
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
    cell_id: CellDigits
    cell_hex: str
    occurred_at: AwareTime
    ingested_at: AwareTime
    event_type: str
    lat: float
    lon: float
    severity: float | None
    amount: float | None
    attributes: dict[str, str]

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(
            external_id=event.external_id,
            source=event.source,
            region=event.region,
            cell_id=str(event.cell),
            cell_hex=f"{event.cell:x}",
            occurred_at=event.occurred_at,
            ingested_at=event.ingested_at,
            event_type=event.event_type,
            lat=event.lat,
            lon=event.lon,
            severity=event.severity,
            amount=event.amount,
            attributes=event.attributes,
        )


class EventPage(Struct):
    """`from` and `to` are the times that were looked through."""

    from_: AwareTime = field(name="from")
    to: AwareTime
    note: Annotated[
        str | None, Meta(description="Where the newest event is, if not in there.")
    ]
    results: list[ListedEvent]
    next: Annotated[str | None, Meta(description="Give it as `after` to go on.")]


@router.get("events", READERS)
def events_list(request: Request, query: EventListQuery) -> EventPage:
    """List the events of a region, the newest first; those of a year if not said."""
    wanted = query.as_filter(events_to_read(request, query.region))
    found, is_last = list_events(
        wanted,
        limit=query.limit,
        after=None if query.after is None else read_cursor(query.after),
    )
    following = None if is_last else write_cursor(position_of(found[-1]))
    is_named = query.from_ or query.to or query.after
    return EventPage(
        from_=wanted.since,
        to=wanted.until,
        note=None if found or is_named else note_on_nothing(wanted),
        results=list(map(ListedEvent.of, found)),
        next=following,
    )


@router.get(
    "events/export",
    READERS,
    answers={
        (200, kind.media_type): {"type": "string", "format": "binary"}
        for kind in EXPORTS
    },
    renderers=EXPORTS,
)
def events_export(request: Request, query: ExportQuery) -> HttpResponseBase:
    """Send all events that match, as CSV, Arrow stream or Parquet."""
    wanted = query.as_filter(events_to_read(request, query.region))
    chosen = request.accepted_renderer
    pieces = export_pieces(chosen.format, iterate_rows(wanted))
    # A failure before the first piece still gets a problem document.
    return StreamingHttpResponse(
        _marked_if_incomplete(chosen.format, keeping_deadline(_begun(pieces))),
        content_type=chosen.media_type,
        headers={
            "Content-Disposition": "attachment; filename="
            f'"events-{query.region}.{chosen.format}"'
        },
    )


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Take the head and the first rows: the head alone takes no query."""
    return chain(list(islice(pieces, 2)), pieces)


def _marked_if_incomplete(format_: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Mark a body that broke off, because the server ends it like a whole one.

    Arrow and Parquet cannot be read without their ends; CSV gets a line that is no row.
    """
    try:
        yield from pieces
    except ApplicationError as error:
        if format_ != CsvRenderer.format:
            raise
        yield f"# INCOMPLETE: {error.message}\r\n".encode()


def write_cursor(position: Position) -> str:
    """Write a position in the order of events as a text for the client."""
    occurred_at, source, external_id = position
    content = (to_milliseconds(occurred_at), source, external_id)
    text = base64.urlsafe_b64encode(msgspec.msgpack.encode(content)).decode()
    return text.rstrip("=")


def read_cursor(text: str) -> Position:
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        milliseconds, source, external_id = msgspec.msgpack.decode(
            content, type=tuple[int, str, str]
        )
        return from_milliseconds(milliseconds), source, external_id
    except (ValueError, OverflowError, msgspec.MsgspecError):
        raise CursorError(
            "The cursor cannot be read. Give the `next` of the page before, as it is.",
            faults=[FieldFault("after", "not a cursor")],
        ) from None
