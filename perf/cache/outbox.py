"""Changes that Redis has not taken yet, sent again and again until it has."""

import logging
import time
from collections.abc import Callable, Collection
from itertools import count, islice
from threading import Lock
from typing import Final

from perf.metrics import UNDELIVERED_CHANGES
from perf.shared_store import StoreUnavailableError

RETRY_EVERY_S: Final = 0.2
# A command that ends gives Redis this long to come back.
LAST_CHANCE_S: Final = 2.0
# More at once would take Redis longer than its timeout.
NAMES_AT_ONCE: Final = 500
# Beyond this it is quicker to have everything forgotten.
MOST_NAMES: Final = 5_000

logger = logging.getLogger(__name__)


class Outbox:
    """Names that changed here and `waiting` to be sent; safe between threads.

    `send` sends names, `send_all` that everything changed; both may raise
    StoreUnavailableError.
    """

    def __init__(
        self, *, send: Callable[[Collection[str]], None], send_all: Callable[[], None]
    ) -> None:
        self._send = send
        self._send_all = send_all
        # The number distinguishes a change from a later one of the same name.
        self.waiting: dict[str, int] = {}
        self._numbers = count(1)
        self._lock = Lock()

    def add(self, names: Collection[str]) -> None:
        with self._lock:
            self.waiting.update((name, next(self._numbers)) for name in names)

    def send(self) -> bool:
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

    def send_at_exit(self) -> None:
        until_s = time.monotonic() + LAST_CHANCE_S
        while not self.send():
            if time.monotonic() > until_s:
                names = ", ".join(sorted(self.waiting)[:20])
                logger.error("not published, caches may show it old: %s", names)
                return
            time.sleep(RETRY_EVERY_S)

    def _attempt(self, attempted: dict[str, int]) -> None:
        if len(attempted) > MOST_NAMES:
            self._send_all()
            self._note_sent(attempted)
            return
        numbered = iter(attempted.items())
        while part := dict(islice(numbered, NAMES_AT_ONCE)):
            self._send(part.keys())
            self._note_sent(part)

    def _note_sent(self, sent: dict[str, int]) -> None:
        with self._lock:
            for name, number in sent.items():
                if self.waiting.get(name) == number:
                    del self.waiting[name]
