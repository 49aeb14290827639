"""What the edge cache reads before it calls Django, and keeps until it changes."""

import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from threading import Lock, local
from typing import Any, Final, Generic, TypeVar

from django.db import DatabaseError, InterfaceError, connection

from perf.connections.replicas import primary_only
from perf.deadlines import deadline

# Changes made past the platform are seen after this time.
REREAD_S: Final = 60.0
# A database that takes longer hangs; then the request goes on to Django.
WITHIN_S: Final = 2.0

Value = TypeVar("Value")


class NotAtHandError(Exception):
    """Something would have to be read from the database."""


class _AtHandOnly:
    __slots__ = ()

    def __enter__(self) -> None:
        _thread.is_at_hand_only = True

    def __exit__(self, *_: object) -> None:
        _thread.is_at_hand_only = False


# A context in which nothing is read in this thread: it must not wait for a database.
AT_HAND_ONLY: Final = _AtHandOnly()


@contextmanager
def reading() -> Generator[None]:
    """Read from the primary, on a connection that is alive, for a short time at most.

    Raises
    ------
    NotAtHandError
        `AT_HAND_ONLY` forbids to read.
    """
    if getattr(_thread, "is_at_hand_only", False):
        raise NotAtHandError
    # A dead connection is replaced, as Django does at the start of a request.
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    # The deadline of the request begins further in.
    with deadline(WITHIN_S), primary_only():
        yield


class Remembered(Generic[Value]):
    """What `read` gives, until one of `names` is published; safe between threads.

    A process receives changes only while its feed is live; in any other the value may
    be as old as REREAD_S, so code that uses it there has to check what follows from it.
    """

    def __init__(self, names: frozenset[str], read: Callable[[], Value]) -> None:
        self._names = names
        self._read = read
        self._known: tuple[Value, float] | None = None
        self._generation = 0
        self._lock = Lock()
        _all.append(self)

    def get(self) -> Value:
        """Give the value; it is read from the database where it is not known.

        Raises
        ------
        NotAtHandError
            It is not known, and `AT_HAND_ONLY` forbids to read it.
        """
        known = self._known
        if known is not None and known[1] > time.monotonic():
            return known[0]
        generation = self._generation
        try:
            with reading():
                value = self._read()
        except (DatabaseError, InterfaceError):
            # Without the database nothing can have changed.
            if known is None:
                raise
            return known[0]
        with self._lock:
            # What was read before a change is good for this one request at most.
            if generation == self._generation:
                self._known = value, time.monotonic() + REREAD_S
        return value

    def drop(self, names: Collection[str]) -> None:
        if not self._names.isdisjoint(names):
            self.clear()

    def clear(self) -> None:
        with self._lock:
            self._generation += 1
            self._known = None


def remembered_values() -> list[Remembered[Any]]:
    return _all


_all: list[Remembered[Any]] = []
_thread = local()
