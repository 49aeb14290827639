"""Of the server's threads one is always left for probes and cached responses."""

from threading import Lock

from django.conf import settings


class ThreadReserve:
    """Counts the threads of the server that wait for something, or work.

    Whoever reads a body goes on to work with the same thread afterwards, so readers
    may not take the threads of those at work: they have a bound of their own.
    """

    def __init__(self, threads: int) -> None:
        self._most = max(1, threads - 1)
        self._most_reading = max(1, threads // 2 - 1)
        self._busy = 0
        self._reading = 0
        self._lock = Lock()

    def begin_reading(self) -> bool:
        with self._lock:
            if self._busy >= self._most or self._reading >= self._most_reading:
                return False
            self._busy += 1
            self._reading += 1
            return True

    def end_reading(self) -> None:
        with self._lock:
            self._busy -= 1
            self._reading -= 1

    def begin_work(self) -> bool:
        with self._lock:
            if self._busy >= self._most:
                return False
            self._busy += 1
            return True

    def end_work(self) -> None:
        with self._lock:
            self._busy -= 1


def configured_reserve() -> ThreadReserve:
    return ThreadReserve(settings.WEB_THREADS)
