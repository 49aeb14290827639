"""Outages of a server that may be back at once are waited for, but not for long."""

import time
from collections.abc import Callable
from threading import Lock

from perf.deadlines import within_deadline

TIMEOUT_S = 5.0
POLL_S = 0.05


class RetryTimeout:
    """Waits for the end of an outage, but for `timeout_s` of it only.

    The clock belongs to the outage: a restart is outlasted by every request, and in
    a long outage a request tries once and waits no longer.
    """

    def __init__(
        self,
        *,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._pause = pause
        self._lock = Lock()
        self._began_s = self._seen_s = float("-inf")

    def wait_until(self, is_back: Callable[[], bool]) -> bool:
        """Try until it is back; False when this timeout or the deadline is over."""
        while not is_back():
            now_s = self._clock()
            if now_s >= self._note(now_s) + self._timeout_s:
                return False
            if within_deadline(POLL_S) < POLL_S:
                return False
            self._pause(POLL_S)
        with self._lock:
            self._began_s = self._seen_s = float("-inf")
        return True

    def _note(self, now_s: float) -> float:
        """Give the moment at which the outage was first seen."""
        with self._lock:
            # Not seen for so long: that outage is over, and this is another.
            if now_s - self._seen_s > self._timeout_s:
                self._began_s = now_s
            self._seen_s = now_s
            return self._began_s
