"""Metrics of several processes: each counts in mapped files of its own.

`prometheus_client` names the files after the process, and adds them up. What it leaves
open is how to know that a process has died: one that lives holds a lock on a file. The
counts of the dead are added to one set of files, because sums must not fall: Prometheus
would take that for a restart and count all of the rest once more.
"""

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

# `prometheus_client` reads it when it is imported.
VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
FOLDER: Final = "metrics"
LOCK: Final = ".lock"
# In the place of a process number, for the counts of all that have ended.
ENDED: Final = "ended"
_held: list[IO[str]] = []


def folder_of(var: Path) -> Path:
    """Give the folder of the files; who runs the processes may name another."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else var / FOLDER


def begin(var: Path, process: str) -> Path:
    """Have this process count in files, under `process` as its kind.

    To be called before `prometheus_client` is imported. Returns the folder.
    """
    folder = folder_of(var)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Where nobody adds up and removes files, they would become more and more.
    clear_if_all_have_ended(folder)
    # An earlier process may have had the same number.
    for file in folder.glob(f"gauge_live*_{os.getpid()}.db"):
        file.unlink(missing_ok=True)
    unlocked = folder / f"{os.getpid()}.{secrets.token_hex(4)}"
    lock = unlocked.open("w", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.write(process)
    lock.flush()
    # Named only now, so that nobody finds it unlocked.
    unlocked.rename(folder / f"{os.getpid()}{LOCK}")
    _held.append(lock)
    os.environ[VARIABLE] = str(folder)
    return folder


def living(folder: Path) -> dict[int, str]:
    """Give the kind of each process that counts, by its number."""
    return {
        int(file.stem): _read(file)
        for file in sorted(folder.glob(f"*{LOCK}"))
        if file.stem.isdigit() and _is_locked(file)
    }


def clear_if_all_have_ended(folder: Path) -> bool:
    """Start again at 0 where nobody counts; returns whether that was so."""
    if living(folder):
        return False
    for file in (*folder.glob("*.db"), *folder.glob(f"*{LOCK}")):
        file.unlink(missing_ok=True)
    return True


def dead_files(folder: Path) -> list[Path]:
    """List the files of processes that have ended."""
    files = [(file, _owner(file)) for file in sorted(folder.glob("*.db"))]
    owners = {pid for _, pid in files if pid is not None}
    dead = {pid for pid in owners if not _is_living(folder, pid)}
    return [file for file, pid in files if pid in dead]


def forget_locks(folder: Path) -> None:
    alive = living(folder)
    for file in folder.glob(f"*{LOCK}"):
        if file.stem.isdigit() and int(file.stem) not in alive:
            file.unlink(missing_ok=True)


def by_kind(files: Iterable[Path]) -> Iterator[tuple[str, list[Path]]]:
    """Group files by what stands before the process number, such as `counter`."""
    kinds: dict[str, list[Path]] = {}
    for file in files:
        kinds.setdefault(file.stem.rpartition("_")[0], []).append(file)
    yield from kinds.items()


def _owner(file: Path) -> int | None:
    number = file.stem.rpartition("_")[2]
    return int(number) if number.isdigit() else None


def _is_living(folder: Path, pid: int) -> bool:
    lock = folder / f"{pid}{LOCK}"
    # The child of a process that counts has no lock of its own.
    return _is_locked(lock) if lock.exists() else _exists(pid)


def _is_locked(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _read(file: Path) -> str:
    with suppress(OSError):
        return file.read_text(encoding="utf-8")
    return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
