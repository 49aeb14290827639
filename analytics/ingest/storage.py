"""Writes events to ClickHouse, each event of a source once however often it comes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.degrees import units_of
from analytics.errors import EventColumnsError
from analytics.grid import RegionGrid
from analytics.ingest.corrections import (
    Indices,
    Rows,
    compare,
    correct,
    find_stored,
    nullable,
)
from analytics.ingest.events import EventColumns
from analytics.ingest.identity import name_events
from analytics.metrics import EVENTS
from analytics.store.clickhouse import insert_columns, to_milliseconds
from analytics.store.event_changes import changing_events
from riskplatform.kernel.instants import EARLIEST, LATEST

MAX_SOURCE_CHARS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvents:
    """What became of events offered to the store, by their indices in the offer.

    Parameters
    ----------
    accepted_places
        New ones and corrections. Of several versions of one event, the last is stored.
    duplicate_places
        Events that were there already, or twice in the offer.
    retracted_places
        Events that came with other values after their retraction, which is final.
    cells
        Cell of each event that was written.
    """

    accepted_places: Indices
    duplicate_places: Indices
    retracted_places: Indices
    cells: NDArray[np.uint64] = field(repr=False)

    @property
    def accepted(self) -> int:
        return self.accepted_places.size

    @property
    def duplicates(self) -> int:
        return self.duplicate_places.size


def store_events(
    events: EventColumns,
    *,
    grid: RegionGrid,
    source: str,
    now: datetime,
    dry_run: bool = False,
) -> StoredEvents:
    """Store events that are new or corrected; safe to repeat and to run twice at once.

    The identity of an event is region, source and external id. What two runs
    insert at the same moment has one sorting key, so the table keeps one of it.
    """
    check_source(source)
    events = replace(events, external_id=name_events(events))
    _check_ids(events.external_id)
    _check_times(events.occurred_ms)
    stored = find_stored(events.external_id, region=grid.slug, source=source)
    found = compare(events, stored)
    cells = store_new(
        events.take(found.new), grid=grid, source=source, now=now, dry_run=dry_run
    )
    if found.corrected.size:
        corrected = events.take(found.corrected)
        new_cells = grid.cells_of(corrected.lat, corrected.lon)
        cells = np.concatenate((cells, new_cells))
        if not dry_run:
            known = [stored[external_id] for external_id in corrected.external_id]
            rows = _rows(corrected, new_cells, grid=grid, source=source, now=now)
            _insert(correct(rows, known, now_ms=to_milliseconds(now)), grid)
    if not dry_run:
        # The new ones are counted already.
        EVENTS.labels("accepted").inc(found.accepted.size - found.new.size)
        EVENTS.labels("duplicate").inc(found.duplicates.size)
        EVENTS.labels("refused").inc(found.retracted.size)
    return StoredEvents(
        accepted_places=found.accepted,
        duplicate_places=found.duplicates,
        retracted_places=found.retracted,
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
        _insert(_rows(events, cells, grid=grid, source=source, now=now), grid)
        EVENTS.labels("accepted").inc(len(events))
    return cells


def check_source(source: str) -> None:
    if not source.strip() or len(source) > MAX_SOURCE_CHARS:
        raise EventColumnsError(
            f"A source has a name of 1 to {MAX_SOURCE_CHARS} characters.", source=source
        )


def _check_ids(ids: Sequence[str]) -> None:
    for index, external_id in enumerate(ids):
        if not external_id or "\0" in external_id:
            raise EventColumnsError(
                f"Event {index} has the id {external_id!r}. An id is a text that is"
                " not empty and holds no NUL.",
                index=index,
            )


def _check_times(occurred_ms: Indices) -> None:
    is_storable = (occurred_ms >= to_milliseconds(EARLIEST)) & (
        occurred_ms <= to_milliseconds(LATEST)
    )
    if not bool(is_storable.all()):
        index = int(np.flatnonzero(~is_storable)[0])
        raise EventColumnsError(
            f"Event {index} has the time {occurred_ms[index]} ms, which is not in"
            f" {EARLIEST.year} to {LATEST.year}. Give milliseconds since 1970.",
            index=index,
        )


def _insert(rows: Rows, grid: RegionGrid) -> None:
    with changing_events([grid.slug]):
        insert_columns("events_insert", "analytics_event", rows)


def _rows(
    events: EventColumns,
    cells: NDArray[np.uint64],
    *,
    grid: RegionGrid,
    source: str,
    now: datetime,
) -> Rows:
    """Name the columns; times are whole milliseconds, what is unknown left out."""
    count, ingested_ms = len(events), to_milliseconds(now)
    rows: Rows = {
        "region": [grid.slug] * count,
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
        rows["severity"] = nullable(events.severity, count)
    if events.amount is not None:
        rows["amount"] = nullable(events.amount, count)
    if events.attributes:
        rows["attributes"] = list(events.attributes)
    return rows
