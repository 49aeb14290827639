"""Probes of dependencies, each in a thread of its own, so that none holds up others.

One that hangs holds its thread, and is not probed again until that returns: shown
then are its last answer and how old that is.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread

from django.db import DatabaseError, connections

from riskplatform.kernel.errors import UnavailableError

OK = "ok"
NO_ANSWER = "no answer"
FAILURES = (DatabaseError, UnavailableError, OSError, EOFError)

logger = logging.getLogger(__name__)

State = dict[str, str | float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: str
    took_s: float
    at_s: float


class Probe:
    """Probes one dependency; `check` raises where it does not do what it should."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._lock = Lock()
        self._answered: Event | None = None
        self._last: Answer | None = None

    def ask(self) -> None:
        """Start a probe, unless an earlier one still waits for its answer."""
        with self._lock:
            if self._answered is not None and not self._answered.is_set():
                return
            self._answered = Event()
        Thread(target=self._run, args=(self._answered,), daemon=True).start()

    def state(self, *, until_s: float) -> State:
        """Wait for the answer until that moment of the monotonic clock."""
        asked_s = time.monotonic()
        answered, before = self._answered, self._last
        if answered is not None and answered.wait(max(0.0, until_s - asked_s)):
            answer = self._last
            if answer is not None:
                return {"status": answer.status, "ms": _milliseconds(answer.took_s)}
        now_s = time.monotonic()
        return {
            "status": NO_ANSWER,
            "ms": _milliseconds(now_s - asked_s),
            "last_status": None if before is None else before.status,
            "last_age_s": None if before is None else round(now_s - before.at_s, 1),
        }

    def _run(self, answered: Event) -> None:
        started_s = time.monotonic()
        status = OK
        try:
            self._check()
        except Exception as error:
            if not isinstance(error, FAILURES):
                logger.exception("a probe broke")
            status = f"failing: {type(error).__name__}"
        now_s = time.monotonic()
        self._last = Answer(status=status, took_s=now_s - started_s, at_s=now_s)
        answered.set()
        connections.close_all()


def states_of(probes: dict[str, Probe], *, within_s: float) -> dict[str, State]:
    """Probe all at once; one that is late is shown by its last answer."""
    until_s = time.monotonic() + within_s
    for probe in probes.values():
        probe.ask()
    return {name: probe.state(until_s=until_s) for name, probe in probes.items()}


def _milliseconds(seconds: float) -> float:
    return round(1_000 * seconds, 1)
