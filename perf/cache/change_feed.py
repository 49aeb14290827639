"""Carries changes between processes, and says whether this one has received them all.

Messages and answers to pings come over one connection, in order. So an answer means
that every change published before its ping has been received: until LEASE_S after that
ping no copy in this process is older than LEASE_S. Without an answer the lease runs
out, and no copy is used, whatever the reason.
"""

import atexit
import logging
import os
import secrets
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from itertools import count, islice
from threading import Event, Lock, Thread
from typing import Any, Final

import msgspec
from redis.client import PubSub
from redis.exceptions import RedisError

from perf.cache.memory import LocalCopies
from perf.cache.store import SharedCache
from perf.connections.replicas import pin
from perf.metrics import (
    CHANGE_SECONDS,
    FEED_LAPSES,
    FEED_LIVE,
    UNDELIVERED_CHANGES,
)
from perf.shared_store import SharedStore, StoreUnavailableError
from perf.shared_store import store as shared_store

# The limit is one second; the rest of it is for what is already on its way.
LEASE_S: Final = 0.9
PING_EVERY_S: Final = 0.2
RETRY_EVERY_S: Final = 0.2
WAIT_S: Final = 0.05
TIDY_EVERY_S: Final = 2.0
# After an outage others deliver what they could not deliver during it.
SETTLE_S: Final = 0.5
# A command that ends gives Redis this long to come back.
LAST_CHANCE_S: Final = 2.0
# More at once would take Redis longer than its timeout.
NAMES_AT_ONCE: Final = 500
# Beyond this it is quicker to have everything forgotten.
MOST_NAMES: Final = 5_000
EVERYTHING: Final = "*"

logger = logging.getLogger(__name__)


class Outbox:
    """Names that changed here and that Redis has not taken yet; safe between threads.

    They are sent again and again until it has. `send` sends names, `send_all` that
    everything changed; both may raise StoreUnavailableError.
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


class Change(msgspec.Struct, frozen=True, array_like=True):
    """A change: which process made it, when by its clock, and the names."""

    sender: str
    sent_at_s: float
    names: list[str]


class ChangeFeed:
    """Publishes what changed here, and drops the copies of what changed elsewhere."""

    def __init__(self, store: SharedStore) -> None:
        self.store = store
        self.shared = SharedCache(store)
        self.copies = LocalCopies()
        self._outbox = Outbox(send=self._send, send_all=self.clear_everywhere)
        self._undelivered = self._outbox.waiting
        self._token = secrets.token_hex(8)
        self._lease_until_s = 0.0
        self._settled_s = 0.0
        self._listening_pid = 0
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        # Done now and then by the thread that listens.
        self.on_tidy: list[Callable[[], None]] = []
        self._tidied_s = 0.0

    @property
    def is_live(self) -> bool:
        """Return whether copies here may be used; makes no request."""
        now_s = time.monotonic()
        return self._settled_s <= now_s < self._lease_until_s and not self._undelivered

    def is_behind(self, names: Collection[str]) -> bool:
        """Return whether one of these changed here and Redis does not know it yet."""
        return any(name in self._undelivered for name in names)

    def publish(self, names: Collection[str]) -> None:
        """Drop what changed here, then publish it: now, or when Redis is back.

        Until it is published the process trusts no cache. While Redis is known to be
        down nothing waits for it.
        """
        self.copies.drop(names)
        self._outbox.add(names)
        if not (self.store.is_reachable and self._outbox.send()):
            # Its thread sends what waits.
            self.listen_in_background()

    def clear_everywhere(self) -> None:
        """Have every process forget everything; StoreUnavailableError without Redis."""
        self.copies.clear()
        self.shared.renew_epoch(self._message([EVERYTHING]))
        # A thread may have cached in between what was still valid in Redis.
        self.copies.clear()

    def listen_in_background(self) -> None:
        """Start listening, once a process: one that was forked has no thread."""
        if self._listening_pid == os.getpid():
            return
        with self._lock:
            if self._listening_pid != os.getpid():
                self._listening_pid = os.getpid()
                self._stop = Event()
                atexit.register(self._outbox.send_at_exit)
                self._thread = Thread(target=self._run, name="change-feed", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stop listening, and with it the use of copies."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._lease_until_s = 0.0

    def _send(self, names: Collection[str]) -> None:
        self.shared.publish(names, self._message(sorted(names)))
        # A thread may have cached in between what was still valid in Redis.
        self.copies.drop(names)

    def _message(self, names: list[str]) -> bytes:
        return msgspec.msgpack.encode(Change(self._sender, time.time(), names))

    @property
    def _sender(self) -> str:
        return f"{self._token}-{os.getpid()}"

    def _run(self) -> None:
        stop = self._stop
        while not stop.is_set():
            try:
                with self.store.subscription(self.shared.channel) as subscription:
                    # Copies made since the last one ended may have missed changes.
                    self.copies.clear()
                    self._listen(subscription, stop)
            except (StoreUnavailableError, RedisError, OSError) as error:
                self._lapse(error)
            except Exception:
                # Without this thread no copy would be used until the next start.
                logger.exception("listening for changes broke off and begins again")
                self._lapse(None)
            stop.wait(RETRY_EVERY_S)

    def _listen(self, subscription: PubSub, stop: Event) -> None:
        """Listen and ping until the connection breaks or falls silent."""
        is_subscribed = False
        # The time counts from before the ping.
        pinged_s, is_answered = time.monotonic(), False
        subscription.ping()
        while not stop.is_set():
            message = subscription.get_message(timeout=WAIT_S) or {"type": None}
            if message["type"] == "message":
                self._receive(message["data"])
            elif message["type"] == "pong":
                is_answered = True
                self._renew_lease(pinged_s)
            elif message["type"] == "subscribe":
                # The client connects again by itself, and what was said meanwhile is
                # lost.
                if is_subscribed:
                    raise StoreUnavailableError("The connection broke.")
                is_subscribed = True
            silent_s = time.monotonic() - pinged_s
            if is_answered and silent_s >= PING_EVERY_S:
                pinged_s, is_answered = time.monotonic(), False
                subscription.ping()
            elif silent_s > LEASE_S:
                raise StoreUnavailableError("Redis is silent.")
            self._tidy()

    def _renew_lease(self, pinged_s: float) -> None:
        self.store.answers()
        self._outbox.send()
        self._lease_until_s = pinged_s + LEASE_S
        FEED_LIVE.set(1)

    def _lapse(self, error: Exception | None) -> None:
        """Forget everything: changes missed meanwhile are not sent again."""
        if self._lease_until_s:
            logger.warning("no copy is used until Redis is back: %s", error)
            FEED_LAPSES.inc()
            FEED_LIVE.set(0)
        self._lease_until_s = 0.0
        self._settled_s = time.monotonic() + SETTLE_S
        self.copies.clear()

    def _receive(self, data: Any) -> None:
        try:
            change = msgspec.msgpack.decode(data, type=Change)
        except msgspec.MsgspecError:
            logger.warning("a message that is none of ours was ignored")
            return
        # The sender dropped it before it published.
        if change.sender == self._sender:
            return
        if EVERYTHING in change.names:
            self.copies.clear()
        else:
            self.copies.drop(change.names)
        CHANGE_SECONDS.observe(max(0.0, time.time() - change.sent_at_s))
        pin.set()

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied_s < TIDY_EVERY_S:
            return
        self._tidied_s = time.monotonic()
        with suppress(StoreUnavailableError):
            for work in self.on_tidy:
                work()


feed = ChangeFeed(shared_store)
