"""Do several things at once: bounded, within a deadline, each with its own failure.

The threads live as long as the process, and each keeps its database connections, as a
thread of the web server does. They see nothing of a transaction that the caller has
open: what they read must be committed.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from django.db import OperationalError, close_old_connections

from perf.deadlines import check_deadline, deadline, remaining_s
from perf.switches import Switch, is_on
from riskplatform.kernel.errors import ApplicationError, DeadlineError, database_error

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
    late: Outcome[Value] = Outcome(
        error=DeadlineError("This part took too long. Try again.")
    )
    outcomes = [late] * len(items)
    todo = deque(enumerate(items))

    def work_off() -> None:
        """Take one item after another until there is none, in any number of threads."""
        try:
            while (taken := _pop(todo)) is not None:
                number, item = taken
                outcomes[number] = _outcome(work, item)
        finally:
            # After an error nothing more is begun.
            todo.clear()

    with deadline(deadline_s):
        # A thread of ours that waited for others of ours could wait for itself.
        is_ours = getattr(_of_thread, "is_ours", False)
        if is_ours or max_concurrency <= 0 or not is_on(Switch.PARALLEL):
            work_off()
        elif items:
            _work_together(work_off, min(max_concurrency, len(items), MAX_THREADS))
        todo.clear()
    return list(outcomes)


def _work_together(work_off: Callable[[], None], n_threads: int) -> None:
    futures: list[Future[None]] = [
        # A context can be entered once at a time: each thread gets a copy.
        _threads().submit(copy_context().run, with_connections, work_off)
        for _ in range(n_threads)
    ]
    left_s = remaining_s()
    ended, late = wait(futures, timeout=None if left_s is None else max(left_s, 0.0))
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


def _pop(todo: deque[tuple[int, Item]]) -> tuple[int, Item] | None:
    try:
        return todo.popleft()
    except IndexError:
        return None


def _outcome(work: Callable[[Item], Value], item: Item) -> Outcome[Value]:
    try:
        check_deadline()
        return Outcome(value=work(item))
    except ApplicationError as error:
        return Outcome(error=error)
    except OperationalError as error:
        return Outcome(error=database_error(error))


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Start the threads at the first use: a process that forks later has none."""
    return ThreadPoolExecutor(
        MAX_THREADS,
        thread_name_prefix="part",
        initializer=lambda: setattr(_of_thread, "is_ours", True),
    )
