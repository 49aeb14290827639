"""A circuit breaker: what does not answer is left alone for a while."""

import time
from collections.abc import Callable
from threading import Lock

FAILURES = 3
OPEN_S = 2.0


class CircuitBreaker:
    """Opens after some failures in a row, and then lets one attempt through a time.

    Closed, it lets all calls through. Open, it lets none through for `open_s`
    seconds, and then a single attempt, which closes it or keeps it open as long again.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        open_s: float = OPEN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed_failures = failures
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._next_attempt_s: float | None = None
        self._lock = Lock()

    @property
    def is_open(self) -> bool:
        return self._next_attempt_s is not None

    def lets_through(self) -> bool:
        """Return whether to try; a caller that may reports how it went."""
        if not self.is_open:
            return True
        with self._lock:
            now_s, due_s = self._clock(), self._next_attempt_s
            if due_s is None:
                return True
            if now_s < due_s:
                return False
            # The next callers wait for the outcome of this attempt.
            self._next_attempt_s = now_s + self._open_s
            return True

    def succeeded(self) -> bool:
        """Close; return whether it was open."""
        if not self._failures:
            return False
        with self._lock:
            was_open = self.is_open
            self._failures = 0
            self._next_attempt_s = None
            return was_open

    def failed(self) -> bool:
        """Count a failure; return whether it opened the circuit."""
        with self._lock:
            was_open = self.is_open
            self._failures += 1
            if self._failures >= self._allowed_failures:
                self._next_attempt_s = self._clock() + self._open_s
            return self.is_open and not was_open
