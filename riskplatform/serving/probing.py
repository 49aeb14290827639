"""Asks services whether they still answer, without waiting for any of them."""

import time
from dataclasses import dataclass, field
from threading import Thread

from riskplatform.embedded.server import Service

EVERY_S = 2.0


@dataclass(slots=True, eq=False)
class _Question:
    """One attempt, in a thread of its own, which may never come back."""

    service: Service
    asked_s: float
    is_answered: bool = False
    thread: Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = Thread(target=self._ask, daemon=True)
        self.thread.start()

    @property
    def has_ended(self) -> bool:
        return not self.thread.is_alive()

    def _ask(self) -> None:
        self.is_answered = self.service.responds()


class Prober:
    """Counts how many questions in a row one service has left unanswered.

    Many in a row, so that a machine too busy for some seconds restarts nothing. One
    that has not come back counts again each time another would have been due.
    """

    def __init__(self, service: Service, *, every_s: float = EVERY_S) -> None:
        self.n_unanswered = 0
        self._service = service
        self._every_s = every_s
        self._question: _Question | None = None
        self._due_s = float("-inf")

    @property
    def is_hung(self) -> bool:
        return self.n_unanswered >= self._service.most_unanswered

    def look(self, *, now_s: float | None = None) -> None:
        """Note what has come of the last question, and ask the next when it is due."""
        now_s = time.monotonic() if now_s is None else now_s
        question = self._question
        if question is not None and question.has_ended:
            self.n_unanswered = 0 if question.is_answered else self.n_unanswered + 1
            self._question = None
        if now_s < self._due_s:
            return
        self._due_s = now_s + self._every_s
        if self._question is None:
            self._question = _Question(self._service, now_s)
        else:
            self.n_unanswered += 1

    def forget(self) -> None:
        """Reset for a process that was started again."""
        self.n_unanswered = 0
        self._question = None
        self._due_s = float("-inf")
