"""What the process keeps, dropped by the names of what it rests on."""

from collections.abc import Callable, Generator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol


class Keeper(Protocol):
    """Keeps copies in the memory of this process."""

    def drop(self, names: frozenset[str]) -> None: ...

    def clear(self) -> None: ...


@dataclass(slots=True, eq=False)
class Watch:
    """Remembers what was dropped while something was read or computed."""

    names: set[str] = field(default_factory=set)
    is_all: bool = False

    def has_seen(self, names: Set[str]) -> bool:
        """Tell whether something changed that what is to be kept rests on."""
        return self.is_all or not self.names.isdisjoint(names)


class Tags:
    """Has keepers drop what changed, and whoever computes notice it.

    `generation` grows with each change: what began in an earlier one may be old.
    """

    def __init__(self) -> None:
        self._keepers: list[Keeper] = []
        self._watches: set[Watch] = set()
        self._lock = Lock()
        self.generation = 0

    def attach(self, keeper: Keeper) -> None:
        self._keepers.append(keeper)

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
        """Keep what was read under a watch, unless what it rests on has changed."""
        with self._lock:
            if watch.has_seen(names):
                return False
            put()
        return True

    def drop(self, names: frozenset[str]) -> None:
        with self._lock:
            self.generation += 1
            for watch in self._watches:
                watch.names |= names
        for keeper in self._keepers:
            keeper.drop(names)

    def clear(self) -> None:
        """Drop everything: what changed is not known any more."""
        with self._lock:
            self.generation += 1
            for watch in self._watches:
                watch.is_all = True
        for keeper in self._keepers:
            keeper.clear()
