"""Names for events whose source names none, the same at every repetition."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from analytics.ingest.events import EventColumns

DIGEST_BYTES = 16
FACTS = ("occurred_ms", "lat", "lon", "event_type", "severity", "amount", "attributes")
FACT_ORDER = sorted(range(len(FACTS)), key=lambda index: FACTS[index])


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
    rows = zip(
        events.occurred_ms.tolist(),
        events.lat.tolist(),
        events.lon.tolist(),
        events.types(),
        _listed(events.severity, len(events)),
        _listed(events.amount, len(events)),
        map(
            sorted, (known.items() for known in events.attributes or [{}] * len(events))
        ),
        strict=True,
    )
    return RowNames(FACT_ORDER).of([list(map(str, row)) for row in rows])


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
        is_known = self._contains(unique)
        earlier = np.zeros(unique.size, dtype=np.int64)
        for index in np.flatnonzero(is_known):
            earlier[index] = self._repeated.get(int(unique[index]), 1)
        for index in np.flatnonzero(earlier + counts > 1):
            self._repeated[int(unique[index])] = int(earlier[index] + counts[index])
        self._add(unique[~is_known])
        return earlier[inverse] + _ranks(inverse, counts)

    def _contains(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        found = np.zeros(keys.size, dtype=np.bool_)
        for run in self._runs:
            indices = np.minimum(np.searchsorted(run, keys), run.size - 1)
            found |= run[indices] == keys
        return found

    def _add(self, keys: NDArray[np.uint64]) -> None:
        """Keep keys in sorted runs, each less than half as long as the one before."""
        if not keys.size:
            return
        self._runs.append(keys)
        while len(self._runs) > 1 and self._runs[-2].size < 2 * self._runs[-1].size:
            merged = np.concatenate((self._runs.pop(), self._runs.pop()))
            merged.sort(kind="stable")
            self._runs.append(merged)


def _listed(values: NDArray[np.float64] | None, count: int) -> list[float | None]:
    return [None] * count if values is None else list(values.tolist())


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
