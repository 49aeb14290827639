"""Brings changes to Redis, again and again until they are there."""

import atexit
import logging
import time
from collections.abc import Callable
from itertools import count
from threading import Lock, Thread
from typing import Final

from perf.metrics import EDGE_UNDELIVERED
from perf.shared_store import StoreUnavailableError

RETRY_EVERY_S: Final = 0.2
# A command that ends gives Redis this long to come back.
LAST_CHANCE_S: Final = 2.0

logger = logging.getLogger(__name__)


class Delivery:
    """Remembers what is not delivered; until it is, the process trusts nothing kept.

    `send` delivers names, or raises StoreUnavailableError.
    """

    def __init__(self, send: Callable[[frozenset[str]], None]) -> None:
        self._send = send
        # A number tells a change from a later one of the same name.
        self.waiting: dict[str, int] = {}
        self._numbers = count(1)
        self._lock = Lock()
        self._thread: Thread | None = None

    def deliver(self, names: frozenset[str]) -> None:
        """Deliver now, or else in the background until it succeeds."""
        with self._lock:
            self.waiting |= {name: next(self._numbers) for name in names}
        if not self.deliver_waiting():
            self._keep_trying()

    def deliver_waiting(self) -> bool:
        """Try once; return whether nothing waits any more."""
        with self._lock:
            attempted = dict(self.waiting)
        if attempted:
            try:
                self._send(frozenset(attempted))
            except StoreUnavailableError:
                EDGE_UNDELIVERED.set(len(attempted))
                return False
        with self._lock:
            for name, number in attempted.items():
                if self.waiting.get(name) == number:
                    del self.waiting[name]
        EDGE_UNDELIVERED.set(0)
        return True

    def _keep_trying(self) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = Thread(target=self._try, name="cache-delivery", daemon=True)
        atexit.register(self._try_at_exit)
        self._thread.start()

    def _try(self) -> None:
        while not self.deliver_waiting():
            time.sleep(RETRY_EVERY_S)

    def _try_at_exit(self) -> None:
        deadline_s = time.monotonic() + LAST_CHANCE_S
        while not self.deliver_waiting():
            if time.monotonic() > deadline_s:
                names = ", ".join(sorted(self.waiting))
                logger.error("not delivered, caches may show it old: %s", names)
                return
            time.sleep(RETRY_EVERY_S)
