"""What the process holds in memory, dropped by the names that it depends on."""

from collections.abc import Callable, Collection, Generator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol


class Holder(Protocol):
    """Holds copies in the memory of this process."""

    def drop(self, names: Collection[str]) -> None: ...

    def clear(self) -> None: ...


@dataclass(slots=True, eq=False)
class Watch:
    """Remembers what changed while something was read or computed."""

    names: set[str] = field(default_factory=set)
    is_all: bool = False


class LocalCopies:
    """Has holders drop what changed, and whoever computes notice it.

    `generation` grows with each change: what began in an earlier one may be old.
    """

    def __init__(self) -> None:
        self._holders: list[Holder] = []
        self._watches: set[Watch] = set()
        self._lock = Lock()
        self.generation = 0

    def attach(self, holder: Holder) -> None:
        self._holders.append(holder)

    @contextmanager
    def watch(self) -> Generator[Watch]:
        """Watch from before the reading to after the keeping.

        What was read before a change could else be kept after it.
        """
        watch = Watch()
        with self._lock:
            self._watches.add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._watches.discard(watch)

    def keep(self, watch: Watch, names: Set[str], put: Callable[[], object]) -> bool:
        """Keep what was read under a watch, unless what it depends on has changed."""
        with self._lock:
            if watch.is_all or not watch.names.isdisjoint(names):
                return False
            put()
        return True

    def drop(self, names: Collection[str]) -> None:
        with self._lock:
            self.generation += 1
            for watch in self._watches:
                watch.names.update(names)
        for holder in self._holders:
            holder.drop(names)

    def clear(self) -> None:
        """Drop everything: what changed is not known any more."""
        with self._lock:
            self.generation += 1
            for watch in self._watches:
                watch.is_all = True
        for holder in self._holders:
            holder.clear()
