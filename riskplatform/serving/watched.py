"""A service under watch: whether it still answers, and when it starts again."""

import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread

from riskplatform.embedded.server import Service

EVERY_S = 2.0
MOST_DOUBLINGS = 16


class Prober:
    """Counts how many probes in a row one service has left unanswered.

    Many in a row, so that a machine too busy for some seconds restarts nothing. One
    that has not come back counts again each time another would have been due.
    """

    def __init__(self, service: Service, *, every_s: float = EVERY_S) -> None:
        self._service = service
        self._every_s = every_s
        self.n_unanswered = 0
        self._probe: Future[bool] | None = None
        self._due_s = float("-inf")

    @property
    def is_hung(self) -> bool:
        return self.n_unanswered >= self._service.most_unanswered

    def look(self, *, now_s: float | None = None) -> None:
        """Note what has come of the last probe, and start the next when it is due."""
        now_s = time.monotonic() if now_s is None else now_s
        if self._probe is not None and self._probe.done():
            self.n_unanswered = 0 if self._probe.result() else self.n_unanswered + 1
            self._probe = None
        if now_s < self._due_s:
            return
        self._due_s = now_s + self._every_s
        if self._probe is None:
            self._probe = _start_probe(self._service)
        else:
            self.n_unanswered += 1

    def forget(self) -> None:
        """Reset for a process that was started again."""
        self.n_unanswered = 0
        self._probe = None
        self._due_s = float("-inf")


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Doubles the delay with every early death; a calm life starts afresh."""

    first_s: float = 0.5
    longest_s: float = 30.0
    calm_s: float = 60.0
    deaths: int = 0

    def next_delay_s(self, *, lived_s: float) -> float:
        """Return the delay after a death; `lived_s` is how long it ran."""
        if lived_s >= self.calm_s:
            self.deaths = 0
        delay_s = min(
            self.longest_s, self.first_s * 2.0 ** min(self.deaths, MOST_DOUBLINGS)
        )
        self.deaths += 1
        return delay_s


@dataclass(slots=True, kw_only=True)
class WatchedService:
    """A service and where it stands between a death and the next start."""

    service: Service
    prober: Prober
    backoff: Backoff = field(default_factory=Backoff)
    started_s: float = 0.0
    restart_at_s: float | None = None
    ready: bool = True


def _start_probe(service: Service) -> Future[bool]:
    """Probe in a thread of its own, which may never come back."""
    probe: Future[bool] = Future()

    def run() -> None:
        is_answered = False
        try:
            is_answered = service.responds()
        finally:
            probe.set_result(is_answered)

    Thread(target=run, daemon=True).start()
    return probe
