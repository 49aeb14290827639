"""Works on several chunks at once and gives the results in the order of the file."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from analytics.errors import ImportWorkerError
from analytics.ingest.chunk_work import (
    ChunkResult,
    ChunkTask,
    ChunkWorker,
    start_process,
    work_in_process,
)
from analytics.ingest.rows import Chunk
from analytics.store.clickhouse import close_connection

Work = Callable[[ChunkTask], ChunkResult]


@contextmanager
def storing_thread() -> Generator[Executor]:
    """Give a thread that stores while another one reads."""
    with ThreadPoolExecutor(1) as thread:
        try:
            yield thread
        finally:
            thread.submit(close_connection).result()


@contextmanager
def processes(worker: ChunkWorker, *, count: int) -> Generator[Executor]:
    """Start processes by `spawn`, so that they share no connection."""
    with ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=start_process,
        initargs=(worker,),
    ) as pool:
        yield pool


def work_ahead(
    chunks: Iterable[tuple[Chunk, ChunkTask]],
    *,
    pool: Executor,
    work: Work = work_in_process,
    ahead: int,
) -> Iterator[tuple[Chunk, ChunkResult]]:
    """Keep `ahead` chunks at work, no more: memory holds only these."""
    waiting: deque[tuple[Chunk, Future[ChunkResult]]] = deque()
    try:
        for chunk, task in chunks:
            waiting.append((chunk, pool.submit(work, task)))
            if len(waiting) > ahead:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    except BrokenProcessPool:
        raise ImportWorkerError(
            "A process of the import died. What it had stored is kept; run the import"
            " again, with fewer --workers if memory was short."
        ) from None


def _next(
    waiting: deque[tuple[Chunk, Future[ChunkResult]]],
) -> tuple[Chunk, ChunkResult]:
    chunk, future = waiting.popleft()
    return chunk, future.result()
