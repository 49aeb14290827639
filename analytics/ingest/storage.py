"""Writes events to ClickHouse, each event of a source once however often it comes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from analytics.errors import EventColumnsError
from analytics.grid import RegionGrid, units_of
from analytics.ingest.corrections import (
    ComparedEvents,
    Rows,
    compare,
    correct,
    find_stored,
    nullable,
)
from analytics.ingest.events import EventColumns, EventTarget, Indices
from analytics.ingest.identity import name_events
from analytics.metrics import EVENTS
from analytics.store.clickhouse import insert_columns, to_milliseconds
from analytics.store.event_changes import changing_events
from riskplatform.kernel.instants import EARLIEST, LATEST

Cells: TypeAlias = NDArray[np.uint64]


def store_events(
    events: EventColumns, *, grid: RegionGrid, source: str, now: datetime
) -> ComparedEvents:
    """Store events that are new or corrected; safe to repeat and to run twice at once.

    The identity of an event is region, source and external id. What two runs
    insert at the same moment has one sorting key, so the table keeps one of it.
    """
    target = EventTarget(grid=grid, source=source, now=now)
    named = replace(events, external_id=name_events(events))
    _check_ids(named.external_id)
    compared, _ = store_compared(named, target)
    return compared


def store_compared(
    events: EventColumns, target: EventTarget
) -> tuple[ComparedEvents, Cells]:
    """Store named events but for those that are there; give the cells of the others."""
    _check_times(events.occurred_ms)
    stored = find_stored(events.external_id, target)
    found = compare(events, stored, updates=target.updates)
    cells = store_new(events.take(found.new), target)
    if found.corrected.size:
        corrected = events.take(found.corrected)
        new_cells = target.grid.cells_of(corrected.lat, corrected.lon)
        cells = np.concatenate((cells, new_cells))
        known = [stored[external_id] for external_id in corrected.external_id]
        rows = _rows(corrected, new_cells, target)
        _insert(correct(rows, known, now_ms=target.now_ms), target)
    if not target.is_dry_run:
        # The new ones are counted already.
        EVENTS.labels("accepted").inc(found.accepted.size - found.new.size)
        EVENTS.labels("duplicate").inc(found.duplicates.size)
        EVENTS.labels("refused").inc(found.retracted.size)
    return found, cells


def store_new(events: EventColumns, target: EventTarget) -> Cells:
    """Store events that are known to be new, each with an id; give their cells."""
    _check_times(events.occurred_ms)
    cells = target.grid.cells_of(events.lat, events.lon)
    _insert(_rows(events, cells, target), target)
    if not target.is_dry_run:
        EVENTS.labels("accepted").inc(len(events))
    return cells


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


def _insert(rows: Rows, target: EventTarget) -> None:
    if not target.is_dry_run:
        with changing_events([target.grid.slug]):
            insert_columns("events_insert", "analytics_event", rows)


def _rows(events: EventColumns, cells: Cells, target: EventTarget) -> Rows:
    """Name the columns; times are whole milliseconds, what is unknown left out."""
    count = len(events)
    rows: Rows = {
        "region": [target.grid.slug] * count,
        "cell": cells.tolist(),
        "occurred_at": events.occurred_ms.tolist(),
        "ingested_at": [target.now_ms] * count,
        "event_type": events.types(),
        "source": [target.source] * count,
        "external_id": list(events.external_id),
        "lat_e7": units_of(events.lat),
        "lon_e7": units_of(events.lon),
        "version": [target.now_ms] * count,
    }
    if events.severity is not None:
        rows["severity"] = nullable(events.severity, count)
    if events.amount is not None:
        rows["amount"] = nullable(events.amount, count)
    if events.attributes:
        rows["attributes"] = list(events.attributes)
    return rows
