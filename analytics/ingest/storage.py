"""Writes events to ClickHouse, each event of a source once however often it comes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.degrees import units_of
from analytics.errors import EventColumnsError
from analytics.grid import RegionGrid
from analytics.ingest.events import EventColumns
from analytics.ingest.identity import name_events
from analytics.metrics import EVENTS
from analytics.store.clickhouse import (
    LOOKUP,
    fetch_columns,
    insert_columns,
    joined,
    to_milliseconds,
)
from analytics.store.event_changes import changing_events
from riskplatform.kernel.instants import EARLIEST, LATEST

MAX_SOURCE_CHARS = 100
# Differences up to this are rounding on the way, not another place.
SAME_PLACE_UNITS = 1

FIND_EXISTING = """
SELECT external_id, toUnixTimestamp64Milli(occurred_at) AS occurred_ms, lat_e7, lon_e7
FROM analytics_event
WHERE region = %(region)s AND source = %(source)s
    AND external_id IN (SELECT arrayJoin(splitByChar('\\0', %(ids)s)))
"""
OUTCOMES = ("accepted", "duplicate", "conflict")
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvents:
    """What became of events offered to the store, by their places in the offer.

    Parameters
    ----------
    accepted_places
        New ones, now stored.
    duplicate_places
        Events that were there already, or twice in the offer.
    conflict_places
        Events whose id stands for another time or place already. They are not
        stored: an id that is not unique would else lose events unseen.
    cells
        Cell of each accepted event.
    """

    accepted_places: Places
    duplicate_places: Places
    conflict_places: Places
    cells: NDArray[np.uint64] = field(repr=False)

    @property
    def accepted(self) -> int:
        return self.accepted_places.size

    @property
    def duplicates(self) -> int:
        return self.duplicate_places.size

    @property
    def conflicts(self) -> int:
        return self.conflict_places.size


def store_events(
    events: EventColumns,
    *,
    grid: RegionGrid,
    source: str,
    now: datetime,
    dry_run: bool = False,
) -> StoredEvents:
    """Store the events that are new; safe to repeat and to run twice at once.

    The identity of an event is region, source and external id. What two runs
    insert at the same moment has one sorting key, so the table keeps one of it.
    """
    check_source(source)
    events = replace(events, external_id=name_events(events))
    _check_ids(events.external_id)
    parts = _sort_out(events, grid.slug, source)
    cells = store_new(
        events.take(parts[0]), grid=grid, source=source, now=now, dry_run=dry_run
    )
    if not dry_run:
        for outcome, places in zip(OUTCOMES[1:], parts[1:], strict=True):
            EVENTS.labels(outcome).inc(places.size)
    return StoredEvents(
        accepted_places=parts[0],
        duplicate_places=parts[1],
        conflict_places=parts[2],
        cells=cells,
    )


def store_new(
    events: EventColumns,
    *,
    grid: RegionGrid,
    source: str,
    now: datetime,
    dry_run: bool = False,
) -> NDArray[np.uint64]:
    """Store events that are known to be new, each with an id; give their cells."""
    _check_times(events.occurred_ms)
    cells = grid.cells_of(events.lat, events.lon)
    if not dry_run:
        rows = _rows(events, cells, region=grid.slug, source=source, now=now)
        with changing_events([grid.slug]):
            insert_columns("events_insert", "analytics_event", rows)
        EVENTS.labels("accepted").inc(len(events))
    return cells


def check_source(source: str) -> None:
    if not source.strip() or len(source) > MAX_SOURCE_CHARS:
        raise EventColumnsError(
            f"A source has a name of 1 to {MAX_SOURCE_CHARS} characters.", source=source
        )


def _check_ids(ids: Sequence[str]) -> None:
    for place, external_id in enumerate(ids):
        if not external_id or "\0" in external_id:
            raise EventColumnsError(
                f"Event {place} has the id {external_id!r}. An id is a text that is"
                " not empty and holds no NUL.",
                index=place,
            )


def _check_times(occurred_ms: Places) -> None:
    is_storable = (occurred_ms >= to_milliseconds(EARLIEST)) & (
        occurred_ms <= to_milliseconds(LATEST)
    )
    if not bool(is_storable.all()):
        place = int(np.flatnonzero(~is_storable)[0])
        raise EventColumnsError(
            f"Event {place} has the time {occurred_ms[place]} ms, which is not in"
            f" {EARLIEST.year} to {LATEST.year}. Give milliseconds since 1970.",
            index=place,
        )


def _sort_out(
    events: EventColumns, region: str, source: str
) -> tuple[Places, Places, Places]:
    """Part events into new ones, duplicates and conflicts."""
    known = _find_existing(events.external_id, region, source)
    if not known and len(set(events.external_id)) == len(events):
        none = np.array([], dtype=np.int64)
        return np.arange(len(events)), none, none
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    accepted, duplicates, conflicts = parts
    facts = zip(
        events.external_id,
        events.occurred_ms.tolist(),
        units_of(events.lat),
        units_of(events.lon),
        strict=True,
    )
    for place, (external_id, *fact) in enumerate(facts):
        earlier = known.setdefault(external_id, fact)
        if earlier is fact:
            accepted.append(place)
        elif _is_same(earlier, fact):
            duplicates.append(place)
        else:
            conflicts.append(place)
    first, second, third = (np.array(part, dtype=np.int64) for part in parts)
    return first, second, third


def _find_existing(
    ids: Sequence[str], region: str, source: str
) -> dict[str, list[int]]:
    if not ids:
        return {}
    found = fetch_columns(
        "events_find_existing",
        FIND_EXISTING,
        {"region": region, "source": source, "ids": joined(ids)},
        budget=LOOKUP,
    )
    names = ("external_id", "occurred_ms", "lat_e7", "lon_e7")
    rows = zip(*(found[name].tolist() for name in names), strict=True)
    return {external_id: fact for external_id, *fact in rows}


def _is_same(one: Sequence[int], other: Sequence[int]) -> bool:
    return one[0] == other[0] and all(
        abs(a - b) <= SAME_PLACE_UNITS for a, b in zip(one[1:], other[1:], strict=True)
    )


def _rows(
    events: EventColumns,
    cells: NDArray[np.uint64],
    *,
    region: str,
    source: str,
    now: datetime,
) -> dict[str, Sequence[object]]:
    """Name the columns; times are whole milliseconds, what is unknown left out."""
    count, ingested_ms = len(events), to_milliseconds(now)
    rows: dict[str, Sequence[object]] = {
        "region": [region] * count,
        "cell": cells.tolist(),
        "occurred_at": events.occurred_ms.tolist(),
        "ingested_at": [ingested_ms] * count,
        "event_type": events.types(),
        "source": [source] * count,
        "external_id": list(events.external_id),
        "lat_e7": units_of(events.lat),
        "lon_e7": units_of(events.lon),
        "version": [ingested_ms] * count,
    }
    if events.severity is not None:
        rows["severity"] = _nullable(events.severity)
    if events.amount is not None:
        rows["amount"] = _nullable(events.amount)
    if events.attributes:
        rows["attributes"] = list(events.attributes)
    return rows


def _nullable(values: NDArray[np.float64]) -> list[float | None]:
    column: NDArray[np.object_] = values.astype(np.object_)
    column[np.isnan(values)] = None
    optional: list[float | None] = column.tolist()
    return optional
