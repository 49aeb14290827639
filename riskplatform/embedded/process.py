"""One child process in a group of its own: started, watched, never left behind."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pwd import struct_passwd
from typing import Any

from riskplatform.embedded.reaper import Reaper, signal_group
from riskplatform.private_folder import PRIVATE_UMASK

LOG_BACKUPS = 3
LOG_TAIL_BYTES = 4_000
LOG_TAIL_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start one process; `account` is whom it runs as, if not its starter."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    account: struct_passwd | None = None
    stop_signal: int = signal.SIGTERM
    working_folder: Path | None = None


class ChildProcess:
    """A running `Launch`; its output goes to a log file, its end is certain."""

    def __init__(self, launch: Launch, *, log: Path, reaper: Reaper) -> None:
        self._launch = launch
        self._reaper = reaper
        with log.open("ab") as output:
            self._popen = self._spawn(output.fileno())
        self._reaper.watch(self.pid, stop_signal=launch.stop_signal)
        if self._popen.stdin is not None:
            with self._popen.stdin as pipe:
                pipe.write(launch.stdin)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._popen.poll()

    def ask_to_stop(self) -> None:
        if self.exit_code is None:
            self._popen.send_signal(self._launch.stop_signal)

    def wait(self, *, timeout_s: float) -> bool:
        """Return whether it ended within the time."""
        try:
            self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill_group(self) -> None:
        """End it and whatever it started, at once."""
        signal_group(self.pid, signal.SIGKILL)
        self._popen.wait()
        self._reaper.release(self.pid)

    def _spawn(self, output: int) -> "subprocess.Popen[bytes]":
        launch = self._launch
        return subprocess.Popen(  # noqa: S603 - the commands are this package's own
            list(launch.argv),
            env={**os.environ, **launch.env},
            stdin=subprocess.PIPE if launch.stdin else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=PRIVATE_UMASK,
            cwd=launch.working_folder,
            **run_as(launch.account),
        )


def run_as(account: struct_passwd | None) -> dict[str, Any]:
    """Give what `subprocess` takes to run something as another account."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def rotate_log(log: Path) -> None:
    """Keep the logs of the last runs as NAME.log.1, .2, …; start an empty one."""
    log.parent.mkdir(parents=True, exist_ok=True)
    make_room(log)
    if log.exists():
        log.rename(log.with_name(f"{log.name}.1"))


def make_room(log: Path) -> None:
    """Count up the older parts of a log, so that there is no NAME.log.1."""
    for number in range(LOG_BACKUPS - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))


def log_tail(log: Path) -> str:
    """Return the last lines of a log, for an error message."""
    if not log.exists():
        return ""
    text = log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
    return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])
