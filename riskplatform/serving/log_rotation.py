"""Keeps the logs of running processes small, under the hands of their writers.

A writer holds its file open and appends to it, also while nobody supervises it, so the
file stays: its beginning is copied, and then taken out of it by the file system. That
loses no line, whatever is appended meanwhile. File systems that cannot do it (tmpfs)
get the file emptied after the copy; a line written in that very moment is lost there.
"""

import ctypes
import os
import shutil
from contextlib import suppress
from pathlib import Path

from riskplatform.embedded.process import make_room

# Of fallocate(2), Linux.
FALLOC_FL_COLLAPSE_RANGE = 0x08
PIECE_BYTES = 1 << 20


def rotate_running(log: Path, *, max_bytes: int) -> bool:
    """Move what a log holds to NAME.log.1 once it is larger; returns if it was."""
    try:
        status = log.stat()
    except FileNotFoundError:
        return False
    if status.st_size <= max_bytes:
        return False
    make_room(log)
    # Whole blocks, and not all: a file cannot be collapsed up to its end.
    n_bytes = (status.st_size - 1) // status.st_blksize * status.st_blksize
    copy = log.with_name(f"{log.name}.1")
    try:
        _copy(log, copy, n_bytes)
    except OSError:
        # On a disk that is full the room is worth more than old lines.
        copy.unlink(missing_ok=True)
    if not _take_out(log, n_bytes):
        with suppress(OSError):
            _append_rest(log, copy, n_bytes)
        os.truncate(log, 0)
    return True


def _copy(log: Path, copy: Path, n_bytes: int) -> None:
    with log.open("rb") as source, copy.open("wb") as out:
        left = n_bytes
        while left and (piece := source.read(min(left, PIECE_BYTES))):
            out.write(piece)
            left -= len(piece)


def _append_rest(log: Path, copy: Path, start: int) -> None:
    with log.open("rb") as source, copy.open("ab") as out:
        source.seek(start)
        shutil.copyfileobj(source, out)


def _take_out(log: Path, n_bytes: int) -> bool:
    """Take bytes out of the beginning of a file; False where that is not possible."""
    fallocate = getattr(ctypes.CDLL(None), "fallocate", None)
    if fallocate is None or not n_bytes:
        return False
    with log.open("rb+") as file:
        done = fallocate(
            file.fileno(),
            FALLOC_FL_COLLAPSE_RANGE,
            ctypes.c_int64(0),
            ctypes.c_int64(n_bytes),
        )
    return bool(done == 0)
