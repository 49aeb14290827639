"""Names for events whose source names none, and which ids are certainly new."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from analytics.ingest.events import EventColumns, EventTarget
from analytics.store.clickhouse import LOOKUP, fetch_rows

DIGEST_BYTES = 16
FACTS = ("occurred_ms", "lat", "lon", "event_type", "severity", "amount", "attributes")
FACT_ORDER = sorted(range(len(FACTS)), key=lambda index: FACTS[index])
MAX_CODES = 20_000_000
# Other writers are recognised by versions that differ from the time of the run.
WRITTEN_BY_OTHERS = """
SELECT count(), max(version)
FROM analytics_event
WHERE region = %(region)s AND source = %(source)s AND version != %(now_ms)s
"""
COUNT = """
SELECT count() FROM analytics_event
WHERE region = %(region)s AND source = %(source)s
"""
# As one text for each sixteenth: a number each would be a Python object each.
CODES = """
SELECT arrayStringConcat(groupArray(leftPad(hex(code), 8, '0')))
FROM (
    SELECT CRC32(external_id) AS code FROM analytics_event
    WHERE region = %(region)s AND source = %(source)s
)
GROUP BY bitShiftRight(code, 28)
"""

# What others had written to a target at some moment: rows and last version.
ForeignWrites = tuple[int, int]


class RowNames:
    """Names rows by their content, and equal rows by how many came before.

    `order` are the indices of the fields that distinguish rows. The second of two
    equal rows of a file ends in `-2`, and so on: two events that look alike stay
    two, and repeating the file gives the same names. Memory is 8 bytes a row.
    """

    def __init__(self, order: Sequence[int]) -> None:
        self._order = order
        self._counter = OccurrenceCounter()

    def of(self, rows: Sequence[Sequence[str]]) -> list[str]:
        order = self._order
        digests = [_digest([row[index] for index in order]) for row in rows]
        keys = np.frombuffer(b"".join(digests), dtype="<u8")[::2]
        occurrences = self._counter.count(keys).tolist()
        return [
            digest.hex() if number == 1 else f"{digest.hex()}-{number}"
            for digest, number in zip(digests, occurrences, strict=True)
        ]


def name_events(events: EventColumns) -> list[str]:
    """Give the ids of events: the source's own, or names by what they say."""
    if events.external_id:
        return list(events.external_id)
    unknown = [None] * len(events)
    attributes = events.attributes or [{}] * len(events)
    rows = zip(
        events.occurred_ms.tolist(),
        events.lat.tolist(),
        events.lon.tolist(),
        events.types(),
        unknown if events.severity is None else events.severity.tolist(),
        unknown if events.amount is None else events.amount.tolist(),
        [sorted(known.items()) for known in attributes],
        strict=True,
    )
    return RowNames(FACT_ORDER).of([list(map(str, row)) for row in rows])


class KnownIds:
    """Separates ids that are certainly new from those that have to be looked up.

    Looking up reads the ids of a whole region; most files bring new events only. So
    the ids that are there are read once, as 32 bits each: what is not among these is
    new, unless the run came upon it before.
    """

    def __init__(self, target: EventTarget) -> None:
        self._codes = _load_codes(target)
        self._counter = OccurrenceCounter()

    def may_hold(self, ids: Sequence[str]) -> NDArray[np.bool_]:
        """Return for each id whether it may be known; each is passed once."""
        keys = np.fromiter(map(hash, ids), np.int64, len(ids)).view(np.uint64)
        _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        # All of those that come twice in a chunk are compared with one another.
        is_repeated = (self._counter.count(keys) > 1) | (counts[inverse] > 1)
        if self._codes is None:
            return np.ones(len(ids), dtype=np.bool_)
        if not self._codes.size:
            return is_repeated
        coded = (crc32(name.encode()) for name in ids)
        codes = np.fromiter(coded, np.uint32, len(ids))
        return is_repeated | _contains(self._codes, codes)


def foreign_writes(target: EventTarget) -> ForeignWrites:
    """Note what others have written, so that it shows when they write more."""
    ((row_count, last_version),) = fetch_rows(
        "events_by_others", WRITTEN_BY_OTHERS, _parameters(target), budget=LOOKUP
    )
    return row_count, last_version


class OccurrenceCounter:
    """Counts how often each key has come so far, the present one included.

    Two different rows with equal 64-bit keys only get a higher number than
    they need, and the same one at every repetition.
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []
        self._repeated: dict[int, int] = {}

    def count(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        unique, inverse, counts = np.unique(
            keys, return_inverse=True, return_counts=True
        )
        is_known = np.zeros(unique.size, dtype=np.bool_)
        for run in self._runs:
            is_known |= _contains(run, unique)
        earlier = np.zeros(unique.size, dtype=np.int64)
        for index in np.flatnonzero(is_known):
            earlier[index] = self._repeated.get(int(unique[index]), 1)
        for index in np.flatnonzero(earlier + counts > 1):
            self._repeated[int(unique[index])] = int(earlier[index] + counts[index])
        self._add(unique[~is_known])
        return earlier[inverse] + _ranks(inverse, counts)

    def _add(self, keys: NDArray[np.uint64]) -> None:
        """Keep keys in sorted runs, each less than half as long as the one before."""
        if not keys.size:
            return
        self._runs.append(keys)
        while len(self._runs) > 1 and self._runs[-2].size < 2 * self._runs[-1].size:
            merged = np.concatenate((self._runs.pop(), self._runs.pop()))
            merged.sort(kind="stable")
            self._runs.append(merged)


def _parameters(target: EventTarget) -> dict[str, Any]:
    return {
        "region": target.grid.slug,
        "source": target.source,
        "now_ms": target.now_ms,
    }


def _load_codes(target: EventTarget) -> NDArray[np.uint32] | None:
    """Load the codes of all ids, ascending; none where they are too many."""
    params = _parameters(target)
    ((count,),) = fetch_rows("events_known_count", COUNT, params, budget=LOOKUP)
    if count > MAX_CODES:
        return None
    found = fetch_rows("events_known_codes", CODES, params, budget=LOOKUP)
    parts = [np.frombuffer(bytes.fromhex(text), ">u4") for (text,) in found]
    codes = np.concatenate([np.empty(0, np.uint32), *parts]).astype(np.uint32)
    codes.sort()
    return codes


def _contains(ascending: NDArray[Any], keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Find out which keys are among some that are not none."""
    indices = np.minimum(np.searchsorted(ascending, keys), ascending.size - 1)
    found: NDArray[np.bool_] = ascending[indices] == keys
    return found


def _digest(fields: Sequence[str]) -> bytes:
    # No row that holds NUL gets here, so the fields cannot run together.
    text = "\0".join(fields)
    return blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


def _ranks(inverse: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number equal keys from 1 in the order in which they stand."""
    order = np.argsort(inverse, kind="stable")
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    ranks = np.empty(inverse.size, dtype=np.int64)
    ranks[order] = np.arange(inverse.size) - starts + 1
    return ranks
