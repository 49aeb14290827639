"""Groups of routes that work in threads of their own, so that they take no others'."""

import logging
import time
from queue import SimpleQueue
from threading import Lock, Thread

from perf.limits.fair_queue import FairQueue, QueuedRequest
from perf.metrics import WAIT_SECONDS, WAITING_REQUESTS

logger = logging.getLogger(__name__)


class ThreadGroup:
    """The threads of one group; they begin when they are needed, and stay."""

    def __init__(
        self, name: str, *, max_inside: int, max_waiting: int, max_per_caller: int
    ) -> None:
        self._name = name
        self._max_threads = max_inside
        self._n_threads = self._n_idle = 0
        self._queue = FairQueue(
            max_inside=max_inside,
            max_waiting=max_waiting,
            max_per_caller=max_per_caller,
        )
        self._lock = Lock()
        # One entry wakes one idle thread, in half the time of a condition.
        self._wake: SimpleQueue[None] = SimpleQueue()

    def submit(self, request: QueuedRequest) -> bool:
        """Have a request answered in time; False where that cannot be."""
        with self._lock:
            if not self._queue.offer(request):
                return False
            WAITING_REQUESTS.inc()
            if self._n_idle:
                self._n_idle -= 1
                self._wake.put(None)
            elif self._n_threads < self._max_threads:
                self._n_threads += 1
                name = f"{self._name}-{self._n_threads}"
                Thread(target=self._serve, name=name, daemon=True).start()
        return True

    def _serve(self) -> None:
        while True:
            request, is_late = self._take()
            started_s = time.monotonic()
            WAITING_REQUESTS.dec()
            WAIT_SECONDS.observe(started_s - request.arrived_s)
            try:
                (request.refuse if is_late else request.run)()
            except Exception:
                logger.exception("a request in a thread of %s failed", self._name)
            finally:
                work_s = None if is_late else time.monotonic() - started_s
                self._end(request, work_s)

    def _take(self) -> tuple[QueuedRequest, bool]:
        while True:
            with self._lock:
                request = self._queue.take()
                if request is not None:
                    return request, self._queue.is_late(request)
                self._n_idle += 1
            self._wake.get()

    def _end(self, request: QueuedRequest, work_s: float | None) -> None:
        with self._lock:
            self._queue.end(request, work_s=work_s)
