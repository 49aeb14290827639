"""Renews what is kept in the background: few threads, and a bounded queue."""

import logging
from collections.abc import Callable, Hashable
from queue import Empty, Full, Queue
from threading import Lock, Thread

from django.db import connections

from riskplatform.kernel.errors import ApplicationError

MAX_THREADS = 2
MAX_WAITING = 64
# A thread that has nothing to do for so long ends.
IDLE_S = 5.0

Work = Callable[[], object]
logger = logging.getLogger(__name__)


class Refresher:
    """Does each named piece of work once at a time; what does not fit is left out.

    Threads are daemons, and start when they are needed: a process that forks, or
    ends, does not wait for them.
    """

    def __init__(self) -> None:
        self._queue: Queue[tuple[Hashable, Work]] = Queue(MAX_WAITING)
        self._names: set[Hashable] = set()
        self._threads = 0
        self._lock = Lock()

    def submit(self, name: Hashable, work: Work) -> bool:
        """Have it done soon; false if it is under way, or there is no room."""
        with self._lock:
            if name in self._names:
                return False
            try:
                self._queue.put_nowait((name, work))
            except Full:
                return False
            self._names.add(name)
            if self._threads < min(MAX_THREADS, len(self._names)):
                self._threads += 1
                Thread(target=self._run, name="cache-refresh", daemon=True).start()
        return True

    def _run(self) -> None:
        while self._does_next():
            pass

    def _does_next(self) -> bool:
        try:
            name, work = self._queue.get(timeout=IDLE_S)
        except Empty:
            with self._lock:
                # Between the waiting and the lock something may have come.
                if self._queue.empty():
                    self._threads -= 1
                    return False
            return True
        try:
            work()
        except ApplicationError as error:
            logger.info("could not renew %s: %s", name, error)
        except Exception:
            # The value that is kept stays; nobody waits for this one.
            logger.exception("could not renew %s", name)
        finally:
            # The thread may sleep for long, and would keep them.
            connections.close_all()
            with self._lock:
                self._names.discard(name)
        return True


refresher = Refresher()
