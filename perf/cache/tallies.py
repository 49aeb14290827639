"""What each cache of this process did: for Prometheus, and for a page of the admin."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from threading import Lock

from perf.metrics import CACHE_READS


class Outcome(StrEnum):
    """How a question to a cache ended."""

    HIT = "hit"
    STALE = "stale"  # too old, given all the same while it is renewed
    MISS = "miss"  # computed here
    JOINED = "joined"  # computed once for several who asked at the same time
    GARBAGE = "garbage"  # kept, but not what was put there: as if it were missing
    UNAVAILABLE = "unavailable"  # where it would be kept does not answer
    NOT_KEPT = "not_kept"  # computed, but too large, or of a kind that is not kept


class Tally:
    """Counts the outcomes of one cache."""

    def __init__(self, cache: str) -> None:
        self.cache = cache
        self._counts: Counter[str] = Counter()
        self._lock = Lock()
        _tallies.append(self)

    def count(self, outcome: Outcome) -> None:
        CACHE_READS.labels(self.cache, outcome).inc()
        with self._lock:
            self._counts[outcome] += 1

    def counts(self) -> Mapping[str, int]:
        """Give the count of every outcome since the process began."""
        return {outcome: self._counts[outcome] for outcome in Outcome}


_tallies: list[Tally] = []


def snapshot() -> dict[str, Mapping[str, int]]:
    """Give what every cache of this process did, by name; names may be shared."""
    total: dict[str, Counter[str]] = {}
    for tally in _tallies:
        total.setdefault(tally.cache, Counter()).update(tally.counts())
    return dict(sorted(total.items()))
