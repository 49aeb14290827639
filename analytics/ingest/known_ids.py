"""Separates ids that are certainly new from those that have to be looked up.

Looking up reads the ids of a whole region; most files bring new events only. So the
ids that are there are read once, as 32 bits each: what is not among these is new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from analytics.ingest.identity import OccurrenceCounter
from analytics.store.clickhouse import LOOKUP, SqlValue, fetch_rows

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose events these are, and when the run that brings them began."""

    region: str
    source: str
    now_ms: int


# What other writers had written of an origin at some moment: rows and last version.
OthersMark = tuple[int, int]


class KnownIds:
    """Remembers the ids of an origin, and those that a run came upon."""

    def __init__(self, codes: NDArray[np.uint32] | None) -> None:
        self._codes = codes
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
        indices = np.minimum(np.searchsorted(self._codes, codes), self._codes.size - 1)
        is_coded: NDArray[np.bool_] = self._codes[indices] == codes
        return is_repeated | is_coded


def load_known_ids(origin: Origin) -> KnownIds:
    params = {"region": origin.region, "source": origin.source}
    ((count,),) = fetch_rows("events_known_count", COUNT, params, budget=LOOKUP)
    if count > MAX_CODES:
        return KnownIds(None)
    found = fetch_rows("events_known_codes", CODES, params, budget=LOOKUP)
    parts = [np.frombuffer(bytes.fromhex(text), ">u4") for (text,) in found]
    codes = np.concatenate([np.empty(0, np.uint32), *parts]).astype(np.uint32)
    codes.sort()
    return KnownIds(codes)


def mark_others(origin: Origin) -> OthersMark:
    """Note what others have written, so that it shows when they write more."""
    params: dict[str, SqlValue] = {
        "region": origin.region,
        "source": origin.source,
        "now_ms": origin.now_ms,
    }
    ((row_count, last_version),) = fetch_rows(
        "events_by_others", WRITTEN_BY_OTHERS, params, budget=LOOKUP
    )
    return row_count, last_version
