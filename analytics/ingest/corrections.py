"""Compares events with what is stored: new, repeated, corrected or retracted.

What a source sends again with other values corrects the event, as it does by POST. A
corrected event stays known since it first arrived, so that what a forecast could know
at a time does not lose it; where it moved, its old row is withdrawn.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.grid import units_of
from analytics.ingest.events import EventColumns, EventTarget, Indices
from analytics.store.clickhouse import LOOKUP, SqlValue, fetch_rows, joined

# A row that withdraws another has the version of the correction, and is no answer.
FIND_STORED = """
SELECT external_id, toUnixTimestamp64Milli(occurred_at), lat_e7, lon_e7, event_type,
    severity, amount, attributes,
    cell, toUnixTimestamp64Milli(ingested_at), version, is_deleted
FROM analytics_event
WHERE region = %(region)s AND source = %(source)s
    AND external_id IN (SELECT arrayJoin(splitByChar('\\0', %(ids)s)))
ORDER BY version DESC, is_deleted
LIMIT 1 BY external_id
"""
Rows = dict[str, Sequence[Any]]  # columns of the table by their names
# `occurred_ms, lat_e7, lon_e7, event_type, severity, amount, attributes`
Values = tuple[Any, ...]


class StoredVersion(NamedTuple):
    """The last version of an event in the store."""

    values: Values
    cell: int
    ingested_ms: int
    version: int
    is_retracted: bool

    @property
    def sorting_key(self) -> tuple[int, int]:
        return self.cell, self.values[0]


class ComparedEvents(NamedTuple):
    """What became of events offered to the store, by their indices in the offer.

    Parameters
    ----------
    accepted
        New ones and corrections.
    duplicates
        Events that were there already, or twice in the offer.
    retracted
        Events that came with other values after their retraction, which is final.
    new, corrected
        Those of the accepted that are to be written: the last version of each event.
    changed
        Events that came with other values than are stored, or than came before, and
        were not taken.
    """

    accepted: Indices
    duplicates: Indices
    retracted: Indices
    new: Indices
    corrected: Indices
    changed: Indices


def find_stored(ids: Sequence[str], target: EventTarget) -> dict[str, StoredVersion]:
    if not ids:
        return {}
    params: dict[str, SqlValue] = {
        "region": target.grid.slug,
        "source": target.source,
        "ids": joined(ids),
    }
    rows = fetch_rows("events_find_stored", FIND_STORED, params, budget=LOOKUP)
    return {
        external_id: StoredVersion(
            tuple(values), cell, ingested_ms, version, bool(gone)
        )
        for external_id, *values, cell, ingested_ms, version, gone in rows
    }


def compare(
    events: EventColumns,
    stored: Mapping[str, StoredVersion],
    *,
    updates: bool = True,
) -> ComparedEvents:
    """Compare events with what is stored, and with one another in their order.

    An event that comes several times with different values is corrected by the last
    of these; all up to the one that is stored are repetitions. Without `updates` the
    first that is known stays.
    """
    if not stored and len(set(events.external_id)) == len(events):
        every, none = np.arange(len(events)), np.empty(0, dtype=np.int64)
        return ComparedEvents(
            *(every, none, none), new=every, corrected=none, changed=none
        )
    values = _values_of(events)
    versions, repeated = _distinct_versions(events.external_id, values)
    found = defaultdict[str, list[int]](list, duplicates=repeated)
    for external_id, indices in versions.items():
        known = stored.get(external_id)
        if known is None:
            kept = indices if updates else indices[:1]
            found["accepted"] += kept
            found["new"].append(kept[-1])
            found["changed"] += indices[len(kept) :]
            continue
        is_stored = [values[index] == known.values for index in indices]
        repeated_count = is_stored.index(True) + 1 if True in is_stored else 0
        found["duplicates"] += indices[:repeated_count]
        left = indices[repeated_count:]
        if known.is_retracted:
            found["retracted"] += left
        elif left and not updates:
            found["changed"] += left
        elif left:
            found["accepted"] += left
            found["corrected"].append(left[-1])
    return ComparedEvents(
        **{
            name: np.array(sorted(found[name]), dtype=np.int64)
            for name in ComparedEvents._fields
        }
    )


def correct(rows: Rows, known: Sequence[StoredVersion], *, now_ms: int) -> Rows:
    """Make rows corrections of what is known, and withdraw the rows that moved."""
    count = len(known)
    corrected = rows | {
        "ingested_at": [it.ingested_ms for it in known],
        "version": [max(now_ms, it.version + 1) for it in known],
        "is_deleted": [0] * count,
    }
    keys = zip(rows["cell"], rows["occurred_at"], strict=True)
    moved = [i for i, key in enumerate(keys) if key != known[i].sorting_key]
    withdrawn = {name: [column[i] for i in moved] for name, column in corrected.items()}
    withdrawn |= {
        "cell": [known[i].cell for i in moved],
        "occurred_at": [known[i].values[0] for i in moved],
        "is_deleted": [1] * len(moved),
    }
    return {name: [*corrected[name], *withdrawn[name]] for name in corrected}


def nullable(values: NDArray[np.float64] | None, count: int) -> list[float | None]:
    """Give the values, and None for each that is unknown."""
    if values is None:
        return [None] * count
    return [None if math.isnan(value) else value for value in values.tolist()]


def _values_of(events: EventColumns) -> list[Values]:
    count = len(events)
    return list(
        zip(
            events.occurred_ms.tolist(),
            units_of(events.lat),
            units_of(events.lon),
            events.types(),
            nullable(events.severity, count),
            nullable(events.amount, count),
            events.attributes or [{}] * count,
            strict=True,
        )
    )


def _distinct_versions(
    ids: Sequence[str], values: Sequence[Values]
) -> tuple[dict[str, list[int]], list[int]]:
    """Give the indices of each id whose values differ, and of those that repeat one."""
    versions: dict[str, list[int]] = {}
    repeated: list[int] = []
    for index, external_id in enumerate(ids):
        distinct = versions.setdefault(external_id, [])
        if distinct and any(values[earlier] == values[index] for earlier in distinct):
            repeated.append(index)
        else:
            distinct.append(index)
    return versions, repeated
