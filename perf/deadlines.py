"""The deadline of a request, passed on to every server that it calls.

The deadline belongs to the context: threads of `perf.concurrency` inherit it. The body
of a streamed answer is made after its view has returned; `keeping_deadline` takes the
deadline along.
"""

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from riskplatform.kernel.errors import DeadlineError

Item = TypeVar("Item")

# To look at the clock takes longer than to pass an item on.
ITEMS_BETWEEN_LOOKS: Final = 64

_until_s: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(allowed_s: float | None) -> Generator[None]:
    """Give the work inside so many seconds; an earlier deadline around it stays.

    None sets no deadline of its own.
    """
    own_s = None if allowed_s is None else time.monotonic() + allowed_s
    ends_s = [until_s for until_s in (_until_s.get(), own_s) if until_s is not None]
    token = _until_s.set(min(ends_s, default=None))
    try:
        yield
    finally:
        _until_s.reset(token)


def remaining_s() -> float | None:
    """Give the seconds left, below zero when the time is up; None without deadline."""
    until_s = _until_s.get()
    return None if until_s is None else until_s - time.monotonic()


def within_deadline(wait_s: float) -> float:
    """Give the seconds that a caller may wait: `wait_s`, or what is left if less."""
    left_s = remaining_s()
    return wait_s if left_s is None else max(0.0, min(wait_s, left_s))


def check_deadline() -> None:
    """Stop here when the time is up, before calling another server in vain.

    Raises
    ------
    DeadlineError
        The time is up.
    """
    left_s = remaining_s()
    if left_s is not None and left_s <= 0:
        raise DeadlineError("The time for this request is up. Try again.")


def watched(
    items: Iterable[Item], *, every: int = ITEMS_BETWEEN_LOOKS
) -> Iterator[Item]:
    """Pass items on, and stop between them when the time is up."""
    for number, item in enumerate(items):
        if number % every == 0:
            check_deadline()
        yield item


def keeping_deadline(items: Iterable[Item]) -> Iterator[Item]:
    """Pass items on under the caller's deadline, wherever they are read.

    What makes the items has that deadline too.
    """
    return _within(iter(items), _until_s.get())


def _within(items: Iterator[Item], until_s: float | None) -> Iterator[Item]:
    while True:
        # Set for each item: between two of them the context is the reader's.
        token = _until_s.set(until_s)
        try:
            check_deadline()
            item = next(items)
        except StopIteration:
            return
        finally:
            _until_s.reset(token)
        yield item
