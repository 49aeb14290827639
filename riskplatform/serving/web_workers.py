"""Kills the processes of the web that hang; Granian replaces them.

They share one socket, so a probe from outside finds any of them that is well. Each has
a heartbeat of its own instead: what writes it is a thread, which a process that is
stopped, or whose interpreter is stuck in foreign code, does not run.
"""

import logging
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Thread

from riskplatform.kernel import heartbeat

EVERY_S = 2.0
STALE_S = 10.0
# Until its first beat a process loads Django.
START_S = 120.0
MOST_MISSED = 3

logger = logging.getLogger(__name__)


class WorkerWatch:
    """Looks at the heartbeats of whatever processes there are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._missed: Counter[int] = Counter()
        self._since_s: dict[int, float] = {}

    def look(self, pids: Iterable[int]) -> list[int]:
        """Kill and name those that have missed too many beats.

        Several looks must find the same, because a machine that slept wakes up with
        old heartbeats.
        """
        now_s = time.monotonic()
        self._since_s = {pid: self._since_s.get(pid, now_s) for pid in pids}
        missed = {
            pid: self._missed[pid] + 1 for pid in self._since_s if self._is_late(pid)
        }
        self._missed = Counter(missed)
        hung = [pid for pid, count in missed.items() if count >= MOST_MISSED]
        for pid in hung:
            logger.error(
                "web worker %d hung for over %.0f s and is killed", pid, STALE_S
            )
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._file(pid).unlink(missing_ok=True)
        return hung

    def _is_late(self, pid: int) -> bool:
        age_s = heartbeat.age_s(self._file(pid))
        if age_s is None:
            return time.monotonic() - self._since_s[pid] > START_S
        return age_s > STALE_S

    def _file(self, pid: int) -> Path:
        return self._folder / f"web-{pid}"


def watch_workers(list_pids: Callable[[], Iterable[int]]) -> Path:
    """Have workers started from now on beat, and watch over them in a thread.

    The caller removes the folder with the heartbeats at the end: forked
    workers know of it too, and may not.
    """
    folder = Path(tempfile.mkdtemp(prefix="riskplatform-web-"))
    watch = WorkerWatch(folder)
    # Each process puts in its own number.
    os.environ[heartbeat.VARIABLE] = str(folder / "web-{pid}")
    Thread(target=_repeat, args=(watch, list_pids), daemon=True).start()
    return folder


def _repeat(watch: WorkerWatch, list_pids: Callable[[], Iterable[int]]) -> None:
    while True:
        time.sleep(EVERY_S)
        watch.look(list_pids())
