"""The files of shared arrays: written whole, checked, locked, and removed in turn."""

import fcntl
import mmap
import os
import secrets
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from perf.cache.arrays import ALIGNMENT, Arrays, pack_arrays, unpack_arrays

MAGIC = b"RPARRAY1"
DIGEST_BYTES = 32
LOCKS = "locks"
POLL_S = 0.02
# What a process that died left half-written.
ABANDONED_S = 3_600


class WrongFileError(ValueError):
    """The file is not what was written under this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    kept_files: int
    kept_bytes: int
    removed_files: int


def own_folder(folder: Path) -> Path:
    """Make a folder that only this account can read.

    Raises
    ------
    PermissionError
        It is somebody else's, or open to others: they could write what is mapped.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise PermissionError(f"{folder} is not this account's alone.")
    (folder / LOCKS).mkdir(mode=0o700, exist_ok=True)
    return folder


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write a file that is there whole, or not at all, even if the power goes."""
    body = pack_arrays(arrays)
    head = MAGIC + blake2b(body, digest_size=DIGEST_BYTES).digest()
    own = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(head.ljust(ALIGNMENT, b"\0"))
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        own.replace(path)
    finally:
        own.unlink(missing_ok=True)


def open_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Map the arrays of a file into memory, for reading.

    Raises
    ------
    WrongFileError
    FileNotFoundError
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < ALIGNMENT:
            raise WrongFileError("The file is cut off.")
        # The pages stay as long as an array rests on them, also without the file.
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    body = mapped[ALIGNMENT:]
    head = MAGIC + blake2b(body, digest_size=DIGEST_BYTES).digest()
    if bytes(mapped[: len(head)]) != head:
        raise WrongFileError("The file is not whole.")
    with suppress(OSError):
        os.utime(path)
    return unpack_arrays(body)


@contextmanager
def holding(path: Path, *, wait_s: float) -> Generator[bool]:
    """Let one process at a time make a file; gives whether this one may.

    The lock goes with the process that holds it. Who waited in vain goes on without.
    """
    # Few files for all locks; two names that meet wait for each other, no more.
    lock = path.parent / LOCKS / path.name[:2]
    with ExitStack() as stack:
        try:
            file = stack.enter_context(lock.open("ab"))
            is_held = _locked(file.fileno(), wait_s)
        except OSError:
            is_held = False
        yield is_held


def make_room(folder: Path, *, max_bytes: int) -> Room:
    """Remove files until the rest is small enough, the longest unopened first."""
    _remove_abandoned(folder)
    files = [
        (status.st_mtime, status.st_size, path)
        for path in folder.glob("*.arrays")
        if (status := _status(path)) is not None
    ]
    total, removed = sum(size for _, size, _ in files), 0
    for _, size, path in sorted(files):
        if total <= max_bytes:
            break
        path.unlink(missing_ok=True)
        total, removed = total - size, removed + 1
    return Room(
        kept_files=len(files) - removed, kept_bytes=total, removed_files=removed
    )


def _locked(descriptor: int, wait_s: float) -> bool:
    until_s = time.monotonic() + wait_s
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= until_s:
            return False
        time.sleep(POLL_S)


def _remove_abandoned(folder: Path) -> None:
    for path in folder.glob("*.tmp"):
        status = _status(path)
        # The file system's clock, like the times of files.
        if status is not None and time.time() - status.st_mtime > ABANDONED_S:
            path.unlink(missing_ok=True)


def _status(path: Path) -> os.stat_result | None:
    """Look at a file, if nobody has removed it meanwhile."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None
