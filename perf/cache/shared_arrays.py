"""Groups of arrays as files that all processes of a machine map into their memory.

A group is computed by one process and read by all of them; the pages exist once. It is
a folder of `.npy` files with their digests beside them: written whole, checked when it
is opened, and removed in its turn.
"""

import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b, file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import numpy as np
from django.conf import settings
from numpy.typing import NDArray

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
POLL_S: Final = 0.02
# What a process that died left half-written.
ABANDONED_S: Final = 3_600
DIGESTS: Final = "digests.json"
LOCKS: Final = "locks"

Group = dict[str, NDArray[Any]]

_new_digest = partial(blake2b, digest_size=32)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _OpenGroup:
    arrays: Group

    @property
    def nbytes(self) -> int:
        return _nbytes(self.arrays)


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
        self._open: ByteCache[_OpenGroup] = ByteCache(name, max_bytes=MAX_OPEN_BYTES)

    def get_or_compute(
        self, parts: Sequence[object], compute: Callable[[], Arrays]
    ) -> Group:
        """Give the arrays that the parts of a key stand for, read-only."""
        if not is_on(Switch.MODELS):
            return frozen(compute())
        written = msgspec.msgpack.encode((self._schema, *parts), order="deterministic")
        name = f"{blake2b(written, digest_size=20).hexdigest()}.group"
        return self._open.get_or_compute(
            name, lambda: _OpenGroup(self._read_or_compute(name, compute))
        ).arrays

    def close(self) -> None:
        """Let go of what this process has open; the files stay."""
        self._open.clear()

    def _read_or_compute(self, name: str, compute: Callable[[], Arrays]) -> Group:
        try:
            folder = _own_folder(Path(settings.VAR_DIR) / "shared-arrays" / self.name)
        except OSError as error:
            return self._unshared(compute(), error)
        group = folder / name
        if (arrays := self._read(group)) is not None:
            return arrays
        with _locked(group):
            # Another process may have finished meanwhile.
            if (arrays := self._read(group)) is not None:
                return arrays
            self._count(CacheOutcome.MISS)
            return self._write(group, compute())

    def _read(self, group: Path) -> Group | None:
        try:
            arrays = _mapped(group)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            self._count(CacheOutcome.GARBAGE)
            logger.warning("%s is computed again: %s", group, error)
            return None
        self._count(CacheOutcome.HIT)
        self._show_sizes(_sizes_in(group.parent).values())
        return arrays

    def _write(self, group: Path, arrays: Arrays) -> Group:
        if _nbytes(arrays) * MAX_SHARE > self._max_disk_bytes:
            self._count(CacheOutcome.NOT_KEPT)
            return frozen(arrays)
        try:
            _write_group(group, arrays)
            self._make_room(group.parent)
            return _mapped(group)
        except (ValueError, OSError) as error:
            return self._unshared(arrays, error)

    def _unshared(self, arrays: Arrays, error: Exception) -> Group:
        self._count(CacheOutcome.UNAVAILABLE)
        logger.warning("arrays of %s are not shared: %s", self.name, error)
        return frozen(arrays)

    def _make_room(self, folder: Path) -> None:
        """Remove groups until the rest is small enough, the longest unopened first."""
        for path in folder.glob("*.tmp"):
            with suppress(FileNotFoundError):
                # The file system's clock, like the times of files.
                if time.time() - path.stat().st_mtime > ABANDONED_S:
                    shutil.rmtree(path, ignore_errors=True)
        sizes = _sizes_in(folder)
        for oldest in sorted(sizes):
            if sum(sizes.values()) <= self._max_disk_bytes:
                break
            shutil.rmtree(oldest[1], ignore_errors=True)
            del sizes[oldest]
            SHARED_ARRAY_EVICTIONS.labels(self.name).inc()
        self._show_sizes(sizes.values())

    def _show_sizes(self, sizes: Collection[int]) -> None:
        SHARED_ARRAY_BYTES.labels(self.name).set(sum(sizes))
        SHARED_ARRAY_FILES.labels(self.name).set(len(sizes))

    def _count(self, outcome: CacheOutcome) -> None:
        CACHE_READS.labels(f"{self.name}_files", outcome).inc()


def _sizes_in(folder: Path) -> dict[tuple[float, Path], int]:
    """Give the bytes of each group, by when it was opened last and its path."""
    sizes = {}
    for group in folder.glob("*.group"):
        # Another process may remove it meanwhile.
        with suppress(FileNotFoundError):
            nbytes = sum(path.stat().st_size for path in group.iterdir())
            sizes[group.stat().st_mtime, group] = nbytes
    return sizes


def _nbytes(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays.values())


def _own_folder(folder: Path) -> Path:
    """Make a folder that only this account can read.

    Raises
    ------
    PermissionError
        It is another account's, or open to others: they could write what is mapped.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise PermissionError(f"{folder} is not this account's alone.")
    (folder / LOCKS).mkdir(mode=0o700, exist_ok=True)
    return folder


def _write_group(group: Path, arrays: Arrays) -> None:
    """Write a group that is there whole, or not at all, even if the power goes."""
    # Its folder is gone at the end, because it has another name then.
    with TemporaryDirectory(
        dir=group.parent, prefix=group.name, suffix=".tmp", ignore_cleanup_errors=True
    ) as folder:
        digests = {}
        for name, array in arrays.items():
            path = Path(folder) / f"{name}.npy"
            path.touch(mode=0o600)
            with path.open("r+b") as file:
                np.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                digests[name] = file_digest(file, _new_digest).hexdigest()
        (Path(folder) / DIGESTS).write_text(json.dumps(digests))
        # What is there has been found damaged, or is the same.
        shutil.rmtree(group, ignore_errors=True)
        Path(folder).rename(group)


def _mapped(group: Path) -> Group:
    """Map the arrays of a group into memory, for reading.

    Raises
    ------
    ValueError
        A file is not what was written under its name.
    FileNotFoundError
    """
    digests = json.loads((group / DIGESTS).read_text())
    arrays = {}
    for name, digest in digests.items():
        path = group / f"{name}.npy"
        with path.open("rb") as file:
            if file_digest(file, _new_digest).hexdigest() != digest:
                raise ValueError(f"{path} is not whole.")
        # The pages stay as long as the array is in use, also without the file.
        arrays[name] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    with suppress(OSError):
        os.utime(group)
    return arrays


@contextmanager
def _locked(group: Path) -> Generator[None]:
    """Let one process at a time make a group; who waited in vain goes on without.

    The lock goes with the process that holds it.
    """
    # Few files for all locks; two names that meet wait for each other, no more.
    path = group.parent / LOCKS / group.name[:2]
    until_s = time.monotonic() + within_deadline(WAIT_S)
    with ExitStack() as stack:
        with suppress(OSError):
            lock = stack.enter_context(path.open("ab"))
            while not _take(lock.fileno()) and time.monotonic() < until_s:
                time.sleep(POLL_S)
        yield


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
