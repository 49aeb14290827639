"""The data folder: one process at a time, and nothing left over from the last."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from riskplatform.embedded.clickhouse.access import SourceAccess
from riskplatform.embedded.errors import EmbeddedServerError

CONFIGURATION = """<clickhouse>
  <user_directories><users_xml><path>{users}</path></users_xml></user_directories>
  <merge_tree>
    <fsync_after_insert>{fsync}</fsync_after_insert>
    <fsync_part_directory>{fsync}</fsync_part_directory>
  </merge_tree>
  <max_server_memory_usage_to_ram_ratio>{memory}</max_server_memory_usage_to_ram_ratio>
</clickhouse>
"""
# The machine has other work than this server.
MEMORY_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    engine: Path
    incoming: Path
    configuration: Path
    lock_descriptor: int


def open_folder(root: Path, *, fsync: bool, access: SourceAccess) -> DataFolder:
    """Lock the folder for the life of this process and clear unfinished inserts."""
    folder = root.resolve()
    if "?" in str(folder):
        raise EmbeddedServerError(
            f"The engine cannot use {folder}: it takes the question mark for the "
            "begin of options. Choose another --data.",
            folder=str(folder),
        )
    incoming = folder / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    lock_descriptor = _lock(folder / "lock")
    for left_over in incoming.glob("*.native"):
        left_over.unlink()
    users = folder / "users.xml"
    users.write_text(access.users_file(), encoding="utf-8")
    configuration = folder / "configuration.xml"
    configuration.write_text(
        CONFIGURATION.format(
            fsync=int(fsync), memory=MEMORY_SHARE, users=escape(str(users))
        ),
        encoding="utf-8",
    )
    return DataFolder(
        engine=folder / "engine",
        incoming=incoming,
        configuration=configuration,
        lock_descriptor=lock_descriptor,
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
