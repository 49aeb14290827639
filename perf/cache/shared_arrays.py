"""Groups of arrays as files that all processes of a machine map into their memory.

A group is computed by one process and read by all of them; the pages exist once.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec
from django.conf import settings
from numpy.typing import NDArray

from perf.cache.array_files import (
    locked,
    make_room,
    open_group,
    own_folder,
    write_group,
)
from perf.cache.arrays import Arrays, frozen
from perf.cache.memory import ByteCache
from perf.deadlines import within_deadline
from perf.metrics import (
    CACHE_READS,
    SHARED_ARRAY_BYTES,
    SHARED_ARRAY_EVICTIONS,
    SHARED_ARRAY_FILES,
    CacheOutcome,
)
from perf.switches import Switch, is_on

MAX_DISK_BYTES: Final = 512 << 20
MAX_OPEN_BYTES: Final = 128 << 20
# One group never drives out most of the others.
MAX_SHARE: Final = 8
# Who waits longer for another process computes for itself.
WAIT_S: Final = 30.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Group:
    arrays: dict[str, NDArray[Any]]

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())


class SharedArrays:
    """Groups of one kind; a constant of the module that computes them.

    `schema` is raised whenever the same parts would mean other arrays.
    """

    def __init__(
        self, name: str, *, schema: int, max_disk_bytes: int = MAX_DISK_BYTES
    ) -> None:
        self.name = name
        self._schema = schema
        self._max_disk_bytes = max_disk_bytes
        self._open: ByteCache[_Group] = ByteCache(name, max_bytes=MAX_OPEN_BYTES)

    def get_or_compute(
        self, parts: Sequence[object], compute: Callable[[], Arrays]
    ) -> dict[str, NDArray[Any]]:
        """Give the arrays that the parts of a key stand for, read-only."""
        if not is_on(Switch.MODELS):
            return frozen(compute())
        written = msgspec.msgpack.encode((self._schema, *parts), order="deterministic")
        name = f"{blake2b(written, digest_size=20).hexdigest()}.group"
        return self._open.get_or_compute(
            name, lambda: _Group(self._shared(name, compute))
        ).arrays

    def close(self) -> None:
        """Let go of what this process has open; the files stay."""
        self._open.clear()

    def _shared(
        self, name: str, compute: Callable[[], Arrays]
    ) -> dict[str, NDArray[Any]]:
        try:
            folder = own_folder(Path(settings.VAR_DIR) / "shared-arrays" / self.name)
        except OSError as error:
            return self._unshared(compute(), error)
        group = folder / name
        if (opened := self._opened(group)) is not None:
            return opened
        with locked(group, wait_s=within_deadline(WAIT_S)):
            # Another process may have finished meanwhile.
            if (opened := self._opened(group)) is not None:
                return opened
            self._count(CacheOutcome.MISS)
            return self._written(group, compute())

    def _opened(self, group: Path) -> dict[str, NDArray[Any]] | None:
        try:
            arrays = open_group(group)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            self._count(CacheOutcome.GARBAGE)
            logger.warning("%s is computed again: %s", group, error)
            return None
        self._count(CacheOutcome.HIT)
        return arrays

    def _written(self, group: Path, arrays: Arrays) -> dict[str, NDArray[Any]]:
        nbytes = sum(array.nbytes for array in arrays.values())
        if nbytes * MAX_SHARE > self._max_disk_bytes:
            self._count(CacheOutcome.NOT_KEPT)
            return frozen(arrays)
        try:
            write_group(group, arrays)
            self._make_room(group.parent)
            return open_group(group)
        except (ValueError, OSError) as error:
            return self._unshared(arrays, error)

    def _unshared(self, arrays: Arrays, error: Exception) -> dict[str, NDArray[Any]]:
        self._count(CacheOutcome.UNAVAILABLE)
        logger.warning("arrays of %s are not shared: %s", self.name, error)
        return frozen(arrays)

    def _make_room(self, folder: Path) -> None:
        removed, sizes = make_room(folder, max_bytes=self._max_disk_bytes)
        SHARED_ARRAY_BYTES.labels(self.name).set(sum(sizes))
        SHARED_ARRAY_FILES.labels(self.name).set(len(sizes))
        SHARED_ARRAY_EVICTIONS.labels(self.name).inc(removed)

    def _count(self, outcome: CacheOutcome) -> None:
        CACHE_READS.labels(f"{self.name}_files", outcome).inc()
