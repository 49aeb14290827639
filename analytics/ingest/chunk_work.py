"""What is done with a chunk of rows, in this process or in one of several."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import django
import numpy as np
from numpy.typing import NDArray

from analytics.grid import RegionGrid
from analytics.ingest.events import EventColumns
from analytics.ingest.known_ids import Origin, OthersMark, mark_others
from analytics.ingest.rules import Fault
from analytics.ingest.storage import store_new
from analytics.ingest.validation import RowRules, validate_rows
from analytics.store.clickhouse import to_milliseconds

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkTask:
    """Good rows of a chunk, their names, and which of them may be known already."""

    rows: Sequence[Sequence[str]]
    names: Sequence[str]
    may_be_known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkResult:
    """What became of a chunk; the doubtful events are still to be looked up.

    Parameters
    ----------
    faults
        Index in the chunk to the field and its fault.
    occurred_ms, cells
        Time of each event that was stored, and the cells of them all.
    doubtful, doubtful_places
        Good events that may be known already, and where in the chunk they stood.
    """

    faults: Mapping[int, tuple[str, Fault]]
    ambiguous_count: int
    occurred_ms: Indices
    cells: NDArray[np.uint64]
    doubtful: EventColumns
    doubtful_places: Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkWorker:
    """Validates rows and stores what is certainly new."""

    columns: Mapping[str, int]
    rules: RowRules
    grid: RegionGrid
    source: str
    now: datetime
    others: OthersMark
    is_dry_run: bool

    def work(self, task: ChunkTask) -> ChunkResult:
        validated = validate_rows(
            task.rows, columns=self.columns, rules=self.rules, names=task.names
        )
        events = validated.events
        is_doubtful = task.may_be_known[validated.places]
        # While another run writes events of the source, none is certainly new.
        if not is_doubtful.all() and self._is_joined_by_others():
            is_doubtful = np.ones(len(events), dtype=np.bool_)
        fresh = events.take(np.flatnonzero(~is_doubtful))
        cells = store_new(
            fresh,
            grid=self.grid,
            source=self.source,
            now=self.now,
            dry_run=self.is_dry_run,
        )
        return ChunkResult(
            faults=validated.faults,
            ambiguous_count=validated.ambiguous_count,
            occurred_ms=fresh.occurred_ms,
            cells=np.unique(cells),
            doubtful=events.take(np.flatnonzero(is_doubtful)),
            doubtful_places=validated.places[is_doubtful],
        )

    def _is_joined_by_others(self) -> bool:
        return mark_others(origin_of(self.grid, self.source, self.now)) != self.others


def origin_of(grid: RegionGrid, source: str, now: datetime) -> Origin:
    return Origin(region=grid.slug, source=source, now_ms=to_milliseconds(now))


class _Process:
    """The worker of a process of its own."""

    worker: ChunkWorker


def start_process(worker: ChunkWorker) -> None:
    """Make a process that just began ready for chunks."""
    # Ctrl-C reaches all processes; the one that reads ends the others in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    django.setup()
    _Process.worker = worker


def _end_with_parent() -> None:
    """End when the process that reads was killed: no chunk will come any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def work_in_process(task: ChunkTask) -> ChunkResult:
    return _Process.worker.work(task)
