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
from threading import Event, Lock, Thread
from typing import Any, Final

import msgspec
from redis.client import PubSub
from redis.exceptions import RedisError

from perf.cache.memory import LocalCopies
from perf.cache.outbox import Outbox
from perf.cache.store import SharedCache
from perf.connections.replicas import pin
from perf.metrics import CHANGE_SECONDS, FEED_LAPSES, FEED_LIVE
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
EVERYTHING: Final = "*"

logger = logging.getLogger(__name__)


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
        self._sender = secrets.token_hex(8)
        self._lease_until_s = 0.0
        self._settled_s = 0.0
        self._listening_pid = 0
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        # Done now and then by the thread that listens.
        self.on_tidy: list[Callable[[], None]] = []

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
        return msgspec.msgpack.encode(Change(self._sender_here(), time.time(), names))

    def _sender_here(self) -> str:
        return f"{self._sender}-{os.getpid()}"

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
        pulse = _Pulse(subscription)
        tidied_s = time.monotonic()
        while not stop.is_set():
            message = subscription.get_message(timeout=WAIT_S)
            if message is not None:
                self._take(message, pulse)
            pulse.beat()
            if time.monotonic() - tidied_s >= TIDY_EVERY_S:
                tidied_s = time.monotonic()
                self._tidy()

    def _take(self, message: dict[str, Any], pulse: "_Pulse") -> None:
        if message["type"] == "message":
            self._receive(message["data"])
        elif message["type"] == "pong":
            pulse.is_answered = True
            self._renew_lease(pulse.pinged_s)
        elif message["type"] == "subscribe":
            pulse.begin()

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
            message = msgspec.msgpack.decode(data, type=Change)
        except msgspec.MsgspecError:
            logger.warning("a message that is none of ours was ignored")
            return
        # The sender dropped it before it published.
        if message.sender == self._sender_here():
            return
        if EVERYTHING in message.names:
            self.copies.clear()
        else:
            self.copies.drop(message.names)
        CHANGE_SECONDS.observe(max(0.0, time.time() - message.sent_at_s))
        pin.set()

    def _tidy(self) -> None:
        for work in self.on_tidy:
            try:
                work()
            except StoreUnavailableError:
                return


class _Pulse:
    """The signs of life of one connection."""

    def __init__(self, subscription: PubSub) -> None:
        self._subscription = subscription
        self._is_begun = False
        self._ping()

    def begin(self) -> None:
        """Note that the subscription holds; a second time it is another connection.

        The client connects again by itself, and what was said meanwhile is lost.
        """
        if self._is_begun:
            raise StoreUnavailableError("The connection broke.")
        self._is_begun = True

    def beat(self) -> None:
        """Ping when it is time; a server that does not answer is as good as gone."""
        silent_s = time.monotonic() - self.pinged_s
        if self.is_answered and silent_s >= PING_EVERY_S:
            self._ping()
        elif silent_s > LEASE_S:
            raise StoreUnavailableError("Redis is silent.")

    def _ping(self) -> None:
        # The time counts from before the ping.
        self.pinged_s, self.is_answered = time.monotonic(), False
        self._subscription.ping()


feed = ChangeFeed(shared_store)
