"""Do several things at once: bounded, within a deadline, each with its own failure.

The threads live as long as the process, and each keeps its database connections, as a
thread of the web server does. They see nothing of a transaction that the caller has
open: what they read must be committed.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from django.db import OperationalError, close_old_connections

from perf.deadlines import check_deadline, deadline, remaining_s
from perf.switches import Switch, is_on
from riskplatform.kernel.errors import (
    ApplicationError,
    DeadlineError,
    database_error,
)

# Threads of the process, and so the connections they may hold to each database.
MAX_THREADS = 16

Item = TypeVar("Item")
Value = TypeVar("Value")

_of_thread = threading.local()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[Value]):
    """The result of one item: a value, or the error in its stead."""

    value: Value | None = None
    error: ApplicationError | None = None


def gather_bounded(
    parts: Mapping[str, Callable[[], Value]],
    *,
    deadline_s: float,
    max_workers: int = MAX_THREADS,
) -> dict[str, Outcome[Value]]:
    """Do every part by name, at once; what is late is an error of its part.

    A part that is late goes on until its own time limits end it, and occupies one of
    the threads until then. What is no error of the platform is raised.
    """
    outcomes = process_batch(
        list(parts.values()),
        lambda part: part(),
        max_concurrency=max_workers,
        deadline_s=deadline_s,
    )
    return dict(zip(parts, outcomes, strict=True))


def process_batch(
    items: Sequence[Item],
    work: Callable[[Item], Value],
    *,
    max_concurrency: int,
    deadline_s: float | None = None,
) -> list[Outcome[Value]]:
    """Do the same for every item, in bounded numbers; give one outcome each, in order.

    Once the time is up nothing more is begun, and what has not ended is an error.
    """
    batch = _Batch(items, work)
    with deadline(deadline_s):
        if _works_alone(len(items), max_concurrency):
            batch.work_off()
        else:
            _work_together(batch, min(max_concurrency, len(items), MAX_THREADS))
    return batch.outcomes()


class _Batch(Generic[Item, Value]):
    """The items left to do and what has come of the others."""

    def __init__(self, items: Sequence[Item], work: Callable[[Item], Value]) -> None:
        self._work = work
        self._todo: Iterator[tuple[int, Item]] = iter(enumerate(items))
        self._done: list[Outcome[Value] | None] = [None] * len(items)
        self._lock = threading.Lock()
        self._is_given_up = False

    def work_off(self) -> None:
        """Take one item after another until there is none, in any number of threads."""
        try:
            while (taken := self._take()) is not None:
                number, item = taken
                self._done[number] = _outcome(self._work, item)
        except BaseException:
            self.give_up()
            raise

    def give_up(self) -> None:
        """Hand out nothing more."""
        self._is_given_up = True

    def outcomes(self) -> list[Outcome[Value]]:
        late = DeadlineError("This part took too long. Try again.")
        return [outcome or Outcome(error=late) for outcome in self._done]

    def _take(self) -> tuple[int, Item] | None:
        with self._lock:
            return None if self._is_given_up else next(self._todo, None)


def _works_alone(n_items: int, max_concurrency: int) -> bool:
    # A thread of ours that waited for others of ours could wait for itself.
    is_ours = getattr(_of_thread, "is_ours", False)
    return min(n_items, max_concurrency) <= 0 or is_ours or not is_on(Switch.PARALLEL)


def _work_together(batch: "_Batch[Item, Value]", n_threads: int) -> None:
    futures: list[Future[None]] = [
        # A context can be entered once at a time: each thread gets a copy.
        _threads().submit(copy_context().run, with_connections, batch.work_off)
        for _ in range(n_threads)
    ]
    left_s = remaining_s()
    ended, late = wait(futures, timeout=None if left_s is None else max(left_s, 0.0))
    batch.give_up()
    for future in late:
        future.cancel()
    for future in ended:
        future.result()


def with_connections(work: Callable[[], Value]) -> Value:
    """Work in a thread whose connections get what a request gives them at its ends."""
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


def _outcome(work: Callable[[Item], Value], item: Item) -> Outcome[Value]:
    try:
        check_deadline()
        return Outcome(value=work(item))
    except ApplicationError as error:
        return Outcome(error=error)
    except OperationalError as error:
        return Outcome(error=database_error(error))


def _note_thread() -> None:
    _of_thread.is_ours = True


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Start the threads at the first use: a process that forks later has none."""
    return ThreadPoolExecutor(
        MAX_THREADS, thread_name_prefix="part", initializer=_note_thread
    )
