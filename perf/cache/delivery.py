"""Brings changes to Redis, again and again until they are there."""

import atexit
import logging
import os
import time
from collections.abc import Callable, Collection
from itertools import count, islice
from threading import Event, Lock, Thread
from typing import Final

from perf.metrics import UNDELIVERED_CHANGES
from perf.shared_store import StoreUnavailableError

RETRY_EVERY_S: Final = 0.2
# A command that ends gives Redis this long to come back.
LAST_CHANCE_S: Final = 2.0
# More at once would take Redis longer than anybody waits for it.
NAMES_AT_ONCE: Final = 500
# Beyond this it is quicker to have everything forgotten.
MOST_NAMES: Final = 5_000

logger = logging.getLogger(__name__)


class Delivery:
    """Remembers what is not delivered; until it is, the process trusts no cache.

    `send` delivers names, `send_all` that everything changed; both may raise
    StoreUnavailableError. While Redis is known to be away nobody waits for it.
    """

    def __init__(
        self,
        *,
        send: Callable[[Collection[str]], None],
        send_all: Callable[[], None],
        is_reachable: Callable[[], bool],
    ) -> None:
        self._send = send
        self._send_all = send_all
        self._is_reachable = is_reachable
        # A number tells a change from a later one of the same name.
        self.waiting: dict[str, int] = {}
        self._numbers = count(1)
        self._lock = Lock()
        self._has_work = Event()
        self._working_pid = 0

    def deliver(self, names: Collection[str]) -> None:
        """Deliver now, or else in the background until it succeeds."""
        with self._lock:
            self.waiting.update((name, next(self._numbers)) for name in names)
        if not (self._is_reachable() and self.deliver_waiting()):
            self._deliver_in_background()

    def deliver_waiting(self) -> bool:
        """Try once; return whether nothing waits any more."""
        with self._lock:
            attempted = dict(self.waiting)
        try:
            self._attempt(attempted)
        except StoreUnavailableError:
            return False
        finally:
            UNDELIVERED_CHANGES.set(len(self.waiting))
        return True

    def _attempt(self, attempted: dict[str, int]) -> None:
        if len(attempted) > MOST_NAMES:
            self._send_all()
            self._note_delivered(attempted)
            return
        numbered = iter(attempted.items())
        while part := dict(islice(numbered, NAMES_AT_ONCE)):
            self._send(frozenset(part))
            self._note_delivered(part)

    def _note_delivered(self, delivered: dict[str, int]) -> None:
        with self._lock:
            for name, number in delivered.items():
                if self.waiting.get(name) == number:
                    del self.waiting[name]

    def _deliver_in_background(self) -> None:
        with self._lock:
            if self._working_pid != os.getpid():
                self._working_pid = os.getpid()
                Thread(target=self._work, name="cache-delivery", daemon=True).start()
                atexit.register(self._try_at_exit)
        self._has_work.set()

    def _work(self) -> None:
        while self._has_work.wait():
            self._has_work.clear()
            while not self.deliver_waiting():
                time.sleep(RETRY_EVERY_S)

    def _try_at_exit(self) -> None:
        until_s = time.monotonic() + LAST_CHANCE_S
        while not self.deliver_waiting():
            if time.monotonic() > until_s:
                names = ", ".join(sorted(self.waiting)[:20])
                logger.error("not delivered, caches may show it old: %s", names)
                return
            time.sleep(RETRY_EVERY_S)
