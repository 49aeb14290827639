"""What the process holds in memory, dropped by the names that it depends on."""

from collections.abc import Callable, Collection
from threading import Lock
from typing import Protocol


class Holder(Protocol):
    """Holds copies in the memory of this process."""

    def drop(self, names: Collection[str]) -> None: ...

    def clear(self) -> None: ...


class LocalCopies:
    """Has holders drop what changed.

    `generation` grows with each change: what began in an earlier one may be old.
    """

    def __init__(self) -> None:
        self._holders: list[Holder] = []
        self._lock = Lock()
        self.generation = 0

    def attach(self, holder: Holder) -> None:
        self._holders.append(holder)

    def keep(self, generation: int, put: Callable[[], object]) -> bool:
        """Keep what was read in a generation, unless something has changed since."""
        with self._lock:
            if generation != self.generation:
                return False
            put()
        return True

    def drop(self, names: Collection[str]) -> None:
        self._begin_generation()
        for holder in self._holders:
            holder.drop(names)

    def clear(self) -> None:
        """Drop everything: what changed is not known any more."""
        self._begin_generation()
        for holder in self._holders:
            holder.clear()

    def _begin_generation(self) -> None:
        with self._lock:
            self.generation += 1
