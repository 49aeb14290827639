"""A small process that ends what its owner leaves behind when it dies suddenly.

The owner holds the other end of a pipe. When that closes, be it by kill -9, the
reaper stops every process group still watched, kills what does not, and
removes the folders it was given.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

GRACE_S = 8.0
POLL_S = 0.05


class Reaper:
    """The owner's side: what is watched from now on, and what no longer is."""

    def __init__(self, *, grace_s: float = GRACE_S) -> None:
        argv = [sys.executable, "-I", "-S", __file__, str(grace_s)]
        # A session of its own keeps Ctrl-C in the terminal away from it.
        self._process = subprocess.Popen(  # noqa: S603 - this file itself
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def watch(self, group: int, *, stop_signal: int = signal.SIGTERM) -> None:
        self._tell(f"watch {group} {int(stop_signal)}")

    def release(self, group: int) -> None:
        self._tell(f"release {group}")

    def remove_afterwards(self, folder: Path) -> None:
        self._tell(f"remove {folder}")

    def close(self) -> None:
        """Let go of the pipe; whatever is still watched ends now."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        if self._process.stdin is None:
            return
        # A reaper that was killed itself must not take its owner along.
        with suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()


def keep_watch(lines: Iterable[str], *, grace_s: float) -> None:
    """Follow the owner's orders to their end, then clear up."""
    groups: dict[int, int] = {}
    folders: list[Path] = []
    for line in lines:
        order, _, argument = line.rstrip("\n").partition(" ")
        if order == "watch":
            group, stop_signal = argument.split()
            groups[int(group)] = int(stop_signal)
        elif order == "release":
            groups.pop(int(argument), None)
        elif order == "remove":
            folders.append(Path(argument))
    end_groups(groups, grace_s=grace_s)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def end_groups(groups: Mapping[int, int], *, grace_s: float) -> None:
    for group in reversed(list(groups)):
        signal_group(group, groups[group])
    deadline_s = time.monotonic() + grace_s
    while time.monotonic() < deadline_s and any(map(group_exists, groups)):
        time.sleep(POLL_S)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False when no process is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def group_exists(group: int) -> bool:
    return signal_group(group, 0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    keep_watch(sys.stdin, grace_s=float(sys.argv[1]))
