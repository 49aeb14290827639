"""A heartbeat: proof that a process makes progress; without it, it is restarted.

Each loop says by when it will report again. While all do, a thread
writes the time into a file. A process that hangs as a whole writes nothing, and one of
whose loops hangs writes no more; a loop that begins a long job says so before.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread, current_thread

# Names the file; {pid} in it stands for the process, where several have the variable.
VARIABLE = "RISKPLATFORM_HEARTBEAT"
BEAT_S = 1.0

Clock = Callable[[], float]


class Heartbeat:
    """Beats once it was started, if there is a file to do so in.

    Without a file of its own it beats in the one that the environment names then.
    """

    def __init__(
        self, file: Path | None = None, *, clock: Clock = time.monotonic
    ) -> None:
        self._file = file
        self._clock = clock
        self._due_s: dict[str, float] = {}
        self._lock = Lock()
        self._ended = Event()

    def expect(self, *, within_s: float) -> None:
        """Say that the loop of this thread will call again within so many seconds."""
        with self._lock:
            self._due_s[current_thread().name] = self._clock() + within_s

    def is_late(self) -> bool:
        """Return whether a loop has not called when it should have."""
        with self._lock:
            return any(due_s < self._clock() for due_s in self._due_s.values())

    def start(self) -> None:
        # Not before: a process may be forked from one that is named another.
        if self._file is None and (given := os.environ.get(VARIABLE)):
            self._file = Path(given.replace("{pid}", str(os.getpid())))
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self.beat()
            Thread(target=self._repeat, name="heartbeat", daemon=True).start()

    def stop(self) -> None:
        """Beat no more; the file is left to get old."""
        self._ended.set()

    def beat(self) -> None:
        """Write the time, unless a loop is late."""
        if self._file is not None and not self.is_late():
            # A disk that is full for a moment must not end the beating.
            with suppress(OSError):
                self._file.write_text(f"{self._clock():.3f}", encoding="ascii")

    def _repeat(self) -> None:
        while not self._ended.wait(BEAT_S):
            self.beat()


def age_s(file: Path, *, clock: Clock = time.monotonic) -> float | None:
    """Give the seconds since the last beat of a process of this machine, if any."""
    try:
        return clock() - float(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


heartbeat = Heartbeat()
