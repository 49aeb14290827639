"""Who runs the servers of a data folder, and where they listen."""

import fcntl
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from riskplatform.embedded.errors import AlreadyRunningError
from riskplatform.private_folder import private_folder


class FolderOwnership:
    """The right to run servers on one data folder; the kernel ends it with us."""

    def __init__(self, var: Path) -> None:
        self._folder = run_folder(var)
        self._lock: TextIO | None = None

    def claim(self, command: str) -> None:
        """Take the folder, or raise with the name of the process that has it."""
        lock = (self._folder / "owner.lock").open("a+", encoding="utf-8")
        # A reader holds the lock for an instant, to see whether an owner lives.
        while not _locked(lock, fcntl.LOCK_EX):
            if living_owner(self._folder.parent) is None:
                continue
            raise _occupied(lock, self._folder.parent)
        lock.truncate(0)
        lock.write(json.dumps({"pid": os.getpid(), "command": command}))
        lock.flush()
        self._lock = lock
        self._endpoints.unlink(missing_ok=True)

    def publish(self, urls: Mapping[str, str]) -> None:
        """Let other commands find the servers; only this account may read it."""
        unfinished = self._endpoints.with_suffix(".tmp")
        unfinished.touch(mode=0o600)
        content = {"pid": os.getpid(), **urls}
        unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self._endpoints)

    def release(self) -> None:
        if self._lock is not None:
            self._endpoints.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    @property
    def _endpoints(self) -> Path:
        return self._folder / "endpoints.json"


def living_owner(var: Path) -> dict[str, Any] | None:
    """Return pid and command of the process that runs the servers here, if any."""
    path = var / "run" / "owner.lock"
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as lock:
        if _locked(lock, fcntl.LOCK_SH):
            return None
        return _read_object(path)


def published_endpoints(var: Path) -> dict[str, Any] | None:
    """Return what a living owner published; None while it still starts."""
    if living_owner(var) is None:
        return None
    return _read_object(var / "run" / "endpoints.json")


@contextmanager
def using_servers(var: Path) -> Generator[None]:
    """Keep a command that owns the servers from stopping them under another one."""
    with (run_folder(var) / "users.lock").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield


@contextmanager
def waiting_for_users(var: Path) -> Generator[None]:
    """Enter the block once no other command uses the servers."""
    with (run_folder(var) / "users.lock").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        yield


def run_folder(var: Path) -> Path:
    folder = private_folder(var) / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _locked(lock: TextIO, mode: int) -> bool:
    try:
        fcntl.flock(lock, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _occupied(lock: TextIO, var: Path) -> AlreadyRunningError:
    lock.seek(0)
    owner: dict[str, Any] = json.loads(lock.read() or "{}")
    lock.close()
    return AlreadyRunningError(
        f"{owner.get('command', 'Another process')} (pid {owner.get('pid', 'unknown')})"
        f" already runs on {var}. Stop it first, or set RISKPLATFORM_VAR to another"
        " folder.",
        **owner,
    )


def _read_object(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found
