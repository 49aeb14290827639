"""Groups of arrays as files that all processes of a machine map into their memory.

A group is computed by one process and read by all of them; the pages exist once. A
file appears whole or not at all, and is checked when it is opened.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from numpy.typing import NDArray

from perf.cache.array_files import (
    holding,
    make_room,
    open_arrays,
    own_folder,
    write_arrays,
)
from perf.cache.arrays import Arrays, frozen
from perf.cache.memory import ByteCache
from perf.cache.tallies import Outcome, Tally
from perf.deadlines import within_deadline
from perf.metrics import (
    SHARED_ARRAY_BYTES,
    SHARED_ARRAY_EVICTIONS,
    SHARED_ARRAY_FILES,
)
from perf.switches import Switch, is_on

MAX_DISK_BYTES = 512 << 20
MAX_OPEN_BYTES = 128 << 20
# One group never drives out most of the others.
MAX_SHARE = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Group:
    arrays: dict[str, NDArray[Any]]

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())


def _var_folder() -> Path:
    return Path(settings.VAR_DIR) / "shared-arrays"


@dataclass(frozen=True)
class SharedArrays:
    """Groups of one kind; a module constant of whoever computes them.

    `schema` is raised whenever the same parts would mean other arrays. A process
    that waits longer than `wait_s` for another computes for itself.
    """

    name: str
    _: KW_ONLY
    schema: int
    max_disk_bytes: int = MAX_DISK_BYTES
    max_open_bytes: int = MAX_OPEN_BYTES
    wait_s: float = 30.0
    root: Callable[[], Path] = _var_folder
    _tally: Tally = field(init=False)
    _open: ByteCache[_Group] = field(init=False)

    def __post_init__(self) -> None:
        opened = ByteCache[_Group](self.name, max_bytes=self.max_open_bytes)
        object.__setattr__(self, "_open", opened)
        object.__setattr__(self, "_tally", Tally(f"{self.name}_files"))

    def get_or_compute(
        self, parts: Sequence[object], compute: Callable[[], Arrays]
    ) -> dict[str, NDArray[Any]]:
        """Give the arrays that the parts of a key stand for; nobody may change them."""
        if not is_on(Switch.MODELS):
            return frozen(compute())
        name = self._file_name(parts)
        return self._open.get_or_compute(
            name, lambda: _Group(self._shared(name, compute))
        ).arrays

    def close(self) -> None:
        """Let go of what this process has open; the files stay."""
        self._open.clear()

    def forget(self) -> None:
        """Remove the files as well; who has them open goes on reading them."""
        self.close()
        make_room(own_folder(self.root() / self.name), max_bytes=0)

    def _file_name(self, parts: Sequence[object]) -> str:
        written = msgspec.msgpack.encode((self.schema, *parts), order="deterministic")
        return f"{blake2b(written, digest_size=20).hexdigest()}.arrays"

    def _shared(
        self, name: str, compute: Callable[[], Arrays]
    ) -> dict[str, NDArray[Any]]:
        try:
            path = own_folder(self.root() / self.name) / name
        except OSError as error:
            return self._unshared(compute(), error)
        if (kept := self._opened(path)) is not None:
            return kept
        with holding(path, wait_s=within_deadline(self.wait_s)):
            # Another process may have finished meanwhile.
            if (kept := self._opened(path)) is not None:
                return kept
            self._tally.count(Outcome.MISS)
            return self._written(path, compute())

    def _opened(self, path: Path) -> dict[str, NDArray[Any]] | None:
        try:
            arrays = open_arrays(path)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            self._tally.count(Outcome.GARBAGE)
            logger.warning("%s is computed again: %s", path, error)
            return None
        self._tally.count(Outcome.HIT)
        return arrays

    def _written(self, path: Path, arrays: Arrays) -> dict[str, NDArray[Any]]:
        size = sum(array.nbytes for array in arrays.values())
        if size * MAX_SHARE > self.max_disk_bytes:
            self._tally.count(Outcome.NOT_KEPT)
            return frozen(arrays)
        try:
            write_arrays(path, arrays)
            self._make_room(path.parent)
            return open_arrays(path)
        except (ValueError, OSError) as error:
            return self._unshared(arrays, error)

    def _unshared(self, arrays: Arrays, error: Exception) -> dict[str, NDArray[Any]]:
        self._tally.count(Outcome.UNAVAILABLE)
        logger.warning("arrays of %s are not shared: %s", self.name, error)
        return frozen(arrays)

    def _make_room(self, folder: Path) -> None:
        room = make_room(folder, max_bytes=self.max_disk_bytes)
        SHARED_ARRAY_BYTES.labels(self.name).set(room.kept_bytes)
        SHARED_ARRAY_FILES.labels(self.name).set(room.kept_files)
        SHARED_ARRAY_EVICTIONS.labels(self.name).inc(room.removed_files)
