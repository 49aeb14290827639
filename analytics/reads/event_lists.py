"""Reads of events one by one: pages of a list, and all rows for an export."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, takewhile
from typing import Any

from django.db.models import F, Func, IntegerField, Q

from analytics.errors import ResultTooLargeError
from analytics.models import Event
from analytics.models.event import LISTED
from analytics.store.clickhouse import Budget, budgeted, fetch_objects, measured
from analytics.store.query_cache import cached_columns
from analytics.store.rollups import EVENTS
from riskplatform.api.keys.access import EventOwners
from riskplatform.kernel.instants import EARLIEST, LATEST, utc_text

# Texts of events may have a megabyte each: so much of them makes a page.
PAGE_BYTES = 8_000_000
LIST = Budget(max_seconds=10, max_rows=200_000_000, may_lag=True)
SHORT_LIST = replace(LIST, max_result_bytes=4 * PAGE_BYTES)
EXPORT = Budget(max_seconds=280, max_rows=5_000_000_000)
CHUNK_ROWS = 10
TEXT_BYTES = "arraySum(arrayMap(text -> length(text), mapValues(%(expressions)s)))"

TYPES = Budget(max_seconds=5, max_rows=2_000_000_000, may_lag=True)
# Without merging: what was corrected or withdrawn has the same owner.
TYPES_SEEN = f"""
SELECT DISTINCT event_type
FROM {EVENTS}
PREWHERE region = %(region)s
WHERE is_deleted = 0
    AND (position(source, '/') = 0 OR startsWith(source, %(prefix)s))
"""  # noqa: S608 - the name of the table is the code's own

Position = tuple[datetime, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events to read: since <= occurred_at < until.

    `owners` leaves those that may be seen.
    """

    region: str
    since: datetime
    until: datetime
    event_type: str | None = None
    cell: int | None = None
    owners: EventOwners


def list_events(
    wanted: EventFilter, *, limit: int, after: Position | None = None
) -> tuple[list[Event], bool]:
    """Give a page of events, the newest first, and whether it is the last one.

    It takes one query. A page whose events have long texts ends early; it takes three.
    """
    rows = _matching(wanted).order_by("-occurred_at", "-source", "-external_id")
    if after is not None:
        rows = _behind(rows, after)
    listed = rows.only(*LISTED)
    try:
        found = fetch_objects("events_list", listed[: limit + 1], budget=SHORT_LIST)
    except ResultTooLargeError:
        fitting = min(limit, _fitting(rows[:limit]))
        found = fetch_objects("events_list", listed[:fitting], budget=LIST)
        # Events that go meanwhile leave an empty page at the end, no more.
        return found, not found
    return found[:limit], len(found) <= limit


def note_on_nothing(wanted: EventFilter) -> str:
    """Say in which times there is no such event, and when the newest of them was."""
    ever = replace(wanted, since=EARLIEST, until=LATEST)
    newest, _ = list_events(ever, limit=1)
    return note_on_window(
        wanted.since, wanted.until, newest[0].occurred_at if newest else None
    )


def note_on_window(since: datetime, until: datetime, newest: datetime | None) -> str:
    """Say of a window that nobody named, and that is empty, which it was."""
    window = f"There is no event from {utc_text(since)} to {utc_text(until)}"
    if newest is None:
        return f"{window}, nor at any other time."
    return f"{window}; the newest is of {utc_text(newest)}: say from and to."


def _behind(rows: Any, position: Position) -> Any:
    """Go on after a position in the order of a list."""
    occurred_at, source, external_id = position
    same_source = Q(source=source, external_id__lt=external_id)
    same_time = Q(occurred_at=occurred_at) & (Q(source__lt=source) | same_source)
    return rows.prewhere(occurred_at__lte=occurred_at).filter(
        Q(occurred_at__lt=occurred_at) | same_time
    )


def _fitting(rows: Any) -> int:
    """Count the first rows whose texts fit into a page: one at least."""
    size = Func(F("attributes"), template=TEXT_BYTES, output_field=IntegerField())
    texts = rows.annotate(text_bytes=size).values_list("text_bytes", flat=True)
    sizes: list[Any] = fetch_objects("events_sizes", texts, budget=LIST)
    within = takewhile(lambda total: total <= PAGE_BYTES, accumulate(sizes))
    return max(1, sum(1 for _ in within))


def iterate_rows(wanted: EventFilter) -> Iterator[tuple[Any, ...]]:
    """Give all events as tuples of `LISTED`, in the order of the table.

    That order lets ClickHouse send the first row before it has read the last.
    """
    rows = _matching(wanted).order_by(
        "region", "cell", "occurred_at", "source", "external_id"
    )
    values = budgeted(rows, "events_export", EXPORT).values_list(*LISTED)
    with measured("events_export"):
        yield from values.iterator(chunk_size=CHUNK_ROWS)


def list_types(region: str, owners: EventOwners) -> list[str]:
    """List the types that events of some owners have; free text is shown to no other.

    They are cached until an event of the region arrives.
    """
    prefix = f"{owners.organisation}/"
    columns = cached_columns(
        "event_types",
        TYPES_SEEN,
        {"region": region, "prefix": prefix},
        regions=[region],
        budget=TYPES,
    )
    return sorted(columns["event_type"].tolist())


def position_of(event: Event) -> Position:
    return event.occurred_at, event.source, event.external_id


def _matching(wanted: EventFilter) -> Any:
    """Narrow before versions are merged by what all versions of an event share."""
    rows: Any = Event.objects.merged().prewhere(
        region=wanted.region,
        occurred_at__gte=wanted.since,
        occurred_at__lt=wanted.until,
    )
    if wanted.cell is not None:
        rows = rows.prewhere(cell=wanted.cell)
    if wanted.event_type is not None:
        rows = rows.filter(event_type=wanted.event_type)
    if wanted.owners.is_everybody:
        return rows
    # The source of what an organisation sent begins with its slug and a slash.
    sent_by_none = ~Q(source__contains="/")
    own = Q(source__startswith=f"{wanted.owners.organisation}/")
    return rows.filter(sent_by_none | own)
