"""What a process reads from the database once, and remembers until it changes.

A process may do so only while it hears of every change: while the change feed is live.
Otherwise, and within a transaction, which may have changed it, the database is asked.
"""

import time
from collections.abc import Callable, Collection, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import local
from typing import Final, Generic, TypeVar

from django.db import DatabaseError, InterfaceError, connection

from perf.cache.change_feed import ChangeFeed, feed
from perf.cache.memory import ByteCache
from perf.connections.replicas import primary_only
from perf.deadlines import deadline

# Changes made past the platform are seen after this time.
REREAD_S: Final = 60.0
# A database that takes longer hangs; then the request goes on to Django.
WITHIN_S: Final = 2.0

Key = TypeVar("Key", bound=Hashable)
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


@dataclass(frozen=True, slots=True)
class _Known(Generic[Value]):
    value: Value
    reread_s: float
    # All count the same: the most that are remembered is a number of values.
    nbytes: int = 1


class Remembered(Generic[Key, Value]):
    """What `read` gives for a key, until a change is published; shared by threads.

    `names_of` gives the names of the changes that a key depends on. Values are for
    reading only. Of more than `max_values` the least recently used are forgotten.
    """

    def __init__(
        self,
        name: str,
        *,
        read: Callable[[Key], Value],
        names_of: Callable[[Key], Collection[str]],
        max_values: int = 1,
        feed: ChangeFeed = feed,
    ) -> None:
        self._read = read
        self._names_of = names_of
        self._feed = feed
        self._known: ByteCache[_Known[Value]] = ByteCache(name, max_bytes=max_values)
        feed.copies.attach(self._known)

    @property
    def is_usable(self) -> bool:
        """Return whether what is remembered may be used here and now."""
        return self._feed.is_live and not connection.in_atomic_block

    def get(self, key: Key) -> Value:
        """Give the value, for callers that have looked whether it may be used.

        It is read from the database where it is not known.

        Raises
        ------
        NotAtHandError
            It is not known, and `AT_HAND_ONLY` forbids to read it.
        """
        known = self._known.get(key)
        if known is not None and known.reread_s > time.monotonic():
            return known.value
        generation = self._feed.copies.generation
        try:
            with reading():
                value = self._read(key)
        except (DatabaseError, InterfaceError):
            # Without the database nothing can have changed.
            if known is None:
                raise
            return known.value
        # What was read before a change is good for this one request at most.
        again = _Known(value, time.monotonic() + REREAD_S)
        names = self._names_of(key)
        put = partial(self._known.put, key, again, names)
        self._feed.copies.keep(generation, put, names)
        return value


_thread = local()
