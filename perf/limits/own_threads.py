"""Groups of routes that work in threads of their own, so that they take no others'.

So many jobs are at work at once, some wait in a queue, and no caller has all of either.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread

logger = logging.getLogger(__name__)

# A request that has waited for longer is refused.
MAX_WAIT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRequest:
    """`run` and `refuse` both answer a request; one of them is called."""

    caller: str
    run: Callable[[], None]
    refuse: Callable[[], None]


class OwnThreads:
    """The threads of one group; they begin when they are needed, and stay."""

    def __init__(
        self, name: str, *, max_inside: int, max_waiting: int, max_per_caller: int
    ) -> None:
        self._name = name
        self._max_inside = max_inside
        self._max_jobs = max_inside + max_waiting
        self._max_per_caller = max_per_caller
        self._max_jobs_per_caller = max_per_caller + max(0, max_waiting - 1)
        self._line: deque[tuple[float, QueuedRequest]] = deque()
        self._n_threads = 0
        self._at_work: Counter[str] = Counter()
        self._jobs_of: Counter[str] = Counter()
        self._changed = Condition()

    def submit(self, job: QueuedRequest) -> bool:
        """Have a job done; False where there is no slot for it."""
        with self._changed:
            if (
                self._jobs_of.total() >= self._max_jobs
                or self._jobs_of[job.caller] >= self._max_jobs_per_caller
            ):
                return False
            self._jobs_of[job.caller] += 1
            self._line.append((time.monotonic(), job))
            if self._n_threads < self._max_inside:
                self._n_threads += 1
                name = f"{self._name}-{self._n_threads}"
                Thread(target=self._serve, name=name, daemon=True).start()
            self._changed.notify()
        return True

    def _serve(self) -> None:
        while True:
            since_s, job = self._take()
            is_late = time.monotonic() - since_s > MAX_WAIT_S
            try:
                (job.refuse if is_late else job.run)()
            except Exception:
                logger.exception("a job of %s failed", self._name)
            finally:
                self._end(job)

    def _take(self) -> tuple[float, QueuedRequest]:
        with self._changed:
            while (found := self._next()) is None:
                self._changed.wait()
            self._line.remove(found)
            self._at_work[found[1].caller] += 1
            return found

    def _next(self) -> tuple[float, QueuedRequest] | None:
        for entry in self._line:
            if self._at_work[entry[1].caller] < self._max_per_caller:
                return entry
        return None

    def _end(self, job: QueuedRequest) -> None:
        with self._changed:
            for counter in (self._at_work, self._jobs_of):
                counter[job.caller] -= 1
                if not counter[job.caller]:
                    del counter[job.caller]
            self._changed.notify_all()
