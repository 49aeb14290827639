"""What an import did, and how far it is."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.ingest.chunk_work import ChunkResult
from analytics.ingest.rejections import Rejection
from analytics.ingest.storage import StoredEvents
from analytics.store.clickhouse import from_milliseconds

MAX_KEPT_REJECTIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How far an import is.

    Parameters
    ----------
    rows_done
        Rows of the file whose fate is settled, those of an earlier run included.
    fraction
        Of the bytes of the file on the disk; none where nobody knows the size.
    left_s
        Seconds that the rest will take at this pace.
    """

    rows_done: int
    rows: int
    accepted: int
    duplicates: int
    rejected_by_code: Mapping[str, int]
    fraction: float | None
    rows_per_s: float
    left_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    Parameters
    ----------
    skipped
        Rows at the beginning of the file that an earlier run had settled.
    accepted, duplicates, rejected_count
        Rows behind these; together they are all of them that are not blank.
    rejected
        The refused rows, at most the first 10,000.
    broken_off
        Where and why the file could not be read to its end, if so.
    ambiguous_times
        Local times that the clocks showed twice; they count as the first.
    cells
        In how many cells the accepted events lie.
    """

    file: str
    skipped: int
    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...]
    rejected_count: int
    rejected_by_code: Mapping[str, int]
    broken_off: Rejection | None
    is_dry_run: bool
    ambiguous_times: int
    first_occurred_at: datetime | None
    last_occurred_at: datetime | None
    cells: int
    seconds: float


@dataclass(slots=True, kw_only=True)
class ImportTally:
    """Counts while an import runs."""

    file: str
    skipped: int = 0
    accepted: int = 0
    duplicates: int = 0
    ambiguous_times: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    rejected_by_code: Counter[str] = field(default_factory=Counter)
    broken_off: Rejection | None = None
    _first_ms: int | None = None
    _last_ms: int | None = None
    _cells: set[int] = field(default_factory=set)

    @property
    def rejected_count(self) -> int:
        return self.rejected_by_code.total()

    @property
    def row_count(self) -> int:
        return self.accepted + self.duplicates + self.rejected_count

    def add(self, result: ChunkResult, stored: StoredEvents) -> None:
        """Count a chunk; `stored` tells what became of its doubtful events."""
        self.ambiguous_times += result.ambiguous_count
        self.accepted += result.occurred_ms.size + stored.accepted
        self.duplicates += stored.duplicates
        self._cells.update(result.cells.tolist(), np.unique(stored.cells).tolist())
        late = result.doubtful.occurred_ms[stored.accepted_places]
        for occurred_ms in (result.occurred_ms, late):
            if occurred_ms.size:
                self._add_times(occurred_ms)

    def add_rejection(self, rejection: Rejection) -> None:
        self.rejected_by_code[rejection.code.value] += 1
        if len(self.rejected) < MAX_KEPT_REJECTIONS:
            self.rejected.append(rejection)

    def report(self, *, is_dry_run: bool, seconds: float) -> ImportReport:
        return ImportReport(
            file=self.file,
            skipped=self.skipped,
            accepted=self.accepted,
            duplicates=self.duplicates,
            rejected=tuple(self.rejected),
            rejected_count=self.rejected_count,
            rejected_by_code=dict(self.rejected_by_code),
            broken_off=self.broken_off,
            is_dry_run=is_dry_run,
            ambiguous_times=self.ambiguous_times,
            first_occurred_at=_moment(self._first_ms),
            last_occurred_at=_moment(self._last_ms),
            cells=len(self._cells),
            seconds=seconds,
        )

    def _add_times(self, occurred_ms: NDArray[np.int64]) -> None:
        first, last = int(occurred_ms.min()), int(occurred_ms.max())
        self._first_ms = first if self._first_ms is None else min(self._first_ms, first)
        self._last_ms = last if self._last_ms is None else max(self._last_ms, last)


def _moment(occurred_ms: int | None) -> datetime | None:
    return None if occurred_ms is None else from_milliseconds(occurred_ms)
