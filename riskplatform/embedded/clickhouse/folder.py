"""The data folder: one process at a time, and nothing left over from the last."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from riskplatform.embedded.clickhouse.errors import EmbeddedServerError


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    engine: Path
    incoming: Path
    lock_descriptor: int


def open_folder(root: Path) -> DataFolder:
    """Lock the folder for the life of this process and clear unfinished inserts."""
    incoming = root / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    lock_descriptor = _lock(root / "lock")
    for left_over in incoming.glob("*.native"):
        left_over.unlink()
    return DataFolder(
        engine=root / "engine", incoming=incoming, lock_descriptor=lock_descriptor
    )


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode() or "unknown"
        os.close(descriptor)
        raise EmbeddedServerError(
            f"The folder {path.parent} is in use by process {holder}. Stop that "
            "process, or choose another --data.",
            folder=str(path.parent),
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor
