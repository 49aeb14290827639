"""Validates and stores chunks of rows, several at once, in the order of the file."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Self

import django
import numpy as np
from numpy.typing import NDArray

from analytics.errors import ImportWorkerError
from analytics.ingest.events import EventColumns, EventTarget, Indices
from analytics.ingest.field_texts import Columns
from analytics.ingest.identity import ForeignWrites, foreign_writes
from analytics.ingest.rows import Chunk
from analytics.ingest.rules import Fault
from analytics.ingest.storage import store_new
from analytics.ingest.validation import (
    EmptiedField,
    RowRules,
    Tally,
    ValidatedRows,
    validate_rows,
)
from analytics.store.clickhouse import close_connection


class ChunkTask(NamedTuple):
    """Good rows of a chunk, their names, and which of them may be known already."""

    rows: Sequence[Sequence[str]]
    names: Sequence[str]
    may_be_known: NDArray[np.bool_]


class Sights(NamedTuple):
    """When, by the clocks of the file, and where the good events of a chunk were."""

    local_ms: Indices
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]

    @classmethod
    def of(cls, validated: ValidatedRows) -> Self:
        events = validated.events
        return cls(validated.local_ms, events.lat, events.lon)


class ChunkResult(NamedTuple):
    """What became of a chunk; the doubtful events are still to be looked up.

    Parameters
    ----------
    faults
        Index in the chunk to the field and its fault.
    emptied
        Fields without which rows were taken.
    occurred_ms, cells
        Time of each event that was stored, and the cells of them all.
    doubtful, doubtful_indices
        Good events that may be known already, and where in the chunk they stood.
    """

    faults: Mapping[int, tuple[str, Fault]]
    emptied: Sequence[EmptiedField]
    tally: Tally
    sights: Sights
    occurred_ms: Indices
    cells: NDArray[np.uint64]
    doubtful: EventColumns
    doubtful_indices: Indices


Work = Callable[[ChunkTask], ChunkResult]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkWorker:
    """Validates rows and stores what is certainly new."""

    columns: Columns
    rules: RowRules
    target: EventTarget
    others: ForeignWrites

    def work(self, task: ChunkTask) -> ChunkResult:
        validated = validate_rows(
            task.rows, columns=self.columns, rules=self.rules, names=task.names
        )
        events = validated.events
        is_doubtful = task.may_be_known[validated.indices]
        # While another run writes events of the source, none is certainly new.
        if not is_doubtful.all() and foreign_writes(self.target) != self.others:
            is_doubtful = np.ones(len(events), dtype=np.bool_)
        fresh = events.take(np.flatnonzero(~is_doubtful))
        return ChunkResult(
            faults=validated.faults,
            emptied=validated.emptied,
            tally=validated.tally,
            sights=Sights.of(validated),
            occurred_ms=fresh.occurred_ms,
            cells=np.unique(store_new(fresh, self.target)),
            doubtful=events.take(np.flatnonzero(is_doubtful)),
            doubtful_indices=validated.indices[is_doubtful],
        )


@contextmanager
def storing_thread() -> Generator[Executor]:
    """Give a thread that stores while another one reads."""
    with ThreadPoolExecutor(1) as thread:
        try:
            yield thread
        finally:
            thread.submit(close_connection).result()


def work_in_processes(
    worker: ChunkWorker, tasks: Iterable[tuple[Chunk, ChunkTask]], *, count: int
) -> Iterator[tuple[Chunk, ChunkResult]]:
    """Work in processes started by `spawn`, so that they share no connection."""
    with ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_process,
    ) as pool:
        yield from work_ahead(tasks, pool=pool, work=worker.work, ahead=count)


def work_ahead(
    tasks: Iterable[tuple[Chunk, ChunkTask]], *, pool: Executor, work: Work, ahead: int
) -> Iterator[tuple[Chunk, ChunkResult]]:
    """Keep `ahead` chunks at work, no more: memory holds only these."""
    waiting: deque[tuple[Chunk, Future[ChunkResult]]] = deque()
    try:
        for chunk, task in tasks:
            waiting.append((chunk, pool.submit(work, task)))
            if len(waiting) > ahead:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()
    except BrokenProcessPool:
        raise ImportWorkerError(
            "A process of the import died. What it had stored is kept; run the import"
            " again, with fewer --workers if memory was short."
        ) from None


def _start_process() -> None:
    """Make a process that just began ready for chunks."""
    # Ctrl-C reaches all processes; the one that reads ends the others in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    django.setup()


def _end_with_parent() -> None:
    """End when the process that reads was killed: no chunk will come any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
