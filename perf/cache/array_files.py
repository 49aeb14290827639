"""Groups of arrays on disk: a folder of `.npy` files each, with their digests beside.

A group is written whole, checked when it is opened, and removed in its turn.
"""

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from perf.cache.arrays import Arrays

DIGESTS: Final = "digests.json"
LOCKS: Final = "locks"
POLL_S: Final = 0.02
# What a process that died left half-written.
ABANDONED_S: Final = 3_600

_new_digest = partial(blake2b, digest_size=32)


class WrongFileError(ValueError):
    """A file is not what was written under its name."""


def own_folder(folder: Path) -> Path:
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


def write_group(group: Path, arrays: Arrays) -> None:
    """Write a group that is there whole, or not at all, even if the power goes."""
    own = group.with_name(f"{group.name}.{secrets.token_hex(4)}.tmp")
    own.mkdir(mode=0o700)
    try:
        digests = {}
        for name, array in arrays.items():
            path = own / f"{name}.npy"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w+b") as file:
                np.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                digests[name] = file_digest(file, _new_digest).hexdigest()
        (own / DIGESTS).write_text(json.dumps(digests))
        # What is there has been found damaged, or is the same.
        shutil.rmtree(group, ignore_errors=True)
        own.rename(group)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def open_group(group: Path) -> dict[str, NDArray[Any]]:
    """Map the arrays of a group into memory, for reading.

    Raises
    ------
    WrongFileError
    FileNotFoundError
    """
    digests = json.loads((group / DIGESTS).read_text())
    arrays = {}
    for name, digest in digests.items():
        path = group / f"{name}.npy"
        with path.open("rb") as file:
            if file_digest(file, _new_digest).hexdigest() != digest:
                raise WrongFileError(f"{path} is not whole.")
        # The pages stay as long as the array is in use, also without the file.
        arrays[name] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    with suppress(OSError):
        os.utime(group)
    return arrays


@contextmanager
def locked(group: Path, *, wait_s: float) -> Generator[None]:
    """Let one process at a time make a group; who waited in vain goes on without.

    The lock goes with the process that holds it.
    """
    # Few files for all locks; two names that meet wait for each other, no more.
    lock = group.parent / LOCKS / group.name[:2]
    until_s = time.monotonic() + wait_s
    with ExitStack() as stack:
        with suppress(OSError):
            descriptor = stack.enter_context(lock.open("ab")).fileno()
            while not _is_locked(descriptor) and time.monotonic() < until_s:
                time.sleep(POLL_S)
        yield


def make_room(folder: Path, *, max_bytes: int) -> tuple[int, list[int]]:
    """Remove groups until the rest is small enough, the longest unopened first.

    Gives the number of those that were removed, and the bytes of those that stay.
    """
    for path in folder.glob("*.tmp"):
        with suppress(FileNotFoundError):
            # The file system's clock, like the times of files.
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)
    sizes = {}
    for group in folder.glob("*.group"):
        # Another process may remove it meanwhile.
        with suppress(FileNotFoundError):
            nbytes = sum(path.stat().st_size for path in group.iterdir())
            sizes[group.stat().st_mtime, group] = nbytes
    removed = 0
    for oldest in sorted(sizes):
        if sum(sizes.values()) <= max_bytes:
            break
        shutil.rmtree(oldest[1], ignore_errors=True)
        del sizes[oldest]
        removed += 1
    return removed, list(sizes.values())


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
