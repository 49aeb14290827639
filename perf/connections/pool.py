"""A bounded pool of connections to any server, which waits instead of failing."""

import os
import select
import time
from collections.abc import Callable
from threading import Condition
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from perf.deadlines import within_deadline
from perf.metrics import (
    CONNECTION_RECONNECTS,
    CONNECTION_WAIT_SECONDS,
    CONNECTIONS_EXHAUSTED,
    show_connections,
)
from riskplatform.kernel.errors import UnavailableError


class ConnectionsExhaustedError(UnavailableError):
    """All connections are in use, and none came back in time."""

    code = "connections_exhausted"
    title = "Everything is busy"
    retry_after_s = 1


class PooledClient(Protocol):
    """Connects when it is first used, and again after it was disconnected."""

    def disconnect(self) -> None: ...


AnyClient = TypeVar("AnyClient", bound=PooledClient)


class BoundedPool(Generic[AnyClient]):
    """Lends at most `max_size` clients, the one used last first.

    A thread that finds none waits for `wait_s` seconds, or until the deadline. One
    idle for `max_idle_s` seconds is closed. A forked child begins with an empty pool,
    since its parent goes on to use the sockets.
    """

    def __init__(
        self,
        make: Callable[[], AnyClient],
        *,
        server: str,
        max_size: int,
        wait_s: float,
        max_idle_s: float = 300.0,
        is_dead: Callable[[AnyClient], bool] = lambda _client: False,
    ) -> None:
        self._make = make
        self._server = server
        self._max_size = max_size
        self._wait_s = wait_s
        self._max_idle_s = max_idle_s
        self._is_dead = is_dead
        self._start_empty()
        _pools.add(self)

    @property
    def max_size(self) -> int:
        return self._max_size

    def acquire(self) -> AnyClient:
        """Lend a client, a new one if none is idle.

        Raises
        ------
        ConnectionsExhaustedError
            As many as there may be are in use, and none was given back in time.
        """
        with CONNECTION_WAIT_SECONDS.labels(self._server).time():
            client = self._take()
        if self._is_dead(client):
            # It connects again when it is used.
            client.disconnect()
            CONNECTION_RECONNECTS.labels(self._server).inc()
        return client

    def release(self, client: AnyClient, *, is_reusable: bool = True) -> None:
        """Take a client back; one that was lent before a fork is let go."""
        now_s = time.monotonic()
        with self._changed:
            if self._lent.pop(id(client), None) is None:
                return
            discarded = [] if is_reusable else [client]
            if is_reusable:
                self._idle.append((client, now_s))
            while self._idle and now_s - self._idle[0][1] > self._max_idle_s:
                discarded.append(self._idle.pop(0)[0])
            self._show()
            self._changed.notify()
        for old in discarded:
            old.disconnect()

    def close(self) -> None:
        """Close all, those in use as well."""
        with self._changed:
            clients = [client for client, _ in self._idle]
            clients += self._lent.values()
            self._idle.clear()
            self._lent.clear()
            self._show()
            self._changed.notify_all()
        for client in clients:
            client.disconnect()

    def _take(self) -> AnyClient:
        with self._changed:
            if not self._has_room():
                self._wait()
            client = self._idle.pop()[0] if self._idle else self._make()
            self._lent[id(client)] = client
            self._show()
            return client

    def _wait(self) -> None:
        self._waiting += 1
        self._show()
        try:
            if self._changed.wait_for(
                self._has_room, timeout=within_deadline(self._wait_s)
            ):
                return
        finally:
            self._waiting -= 1
            self._show()
        CONNECTIONS_EXHAUSTED.labels(self._server).inc()
        raise ConnectionsExhaustedError(
            f"All {self._max_size} connections to {self._server} were busy for"
            f" {self._wait_s:g} s. Try again shortly."
        )

    def _has_room(self) -> bool:
        return bool(self._idle) or len(self._lent) < self._max_size

    def _show(self) -> None:
        show_connections(
            self._server,
            in_use=len(self._lent),
            idle=len(self._idle),
            waiting=self._waiting,
        )

    def _start_empty(self) -> None:
        # Re-entrant, because collecting a forgotten cursor gives its client back.
        self._changed = Condition()
        self._idle: list[tuple[AnyClient, float]] = []
        self._lent: dict[int, AnyClient] = {}
        self._waiting = 0


def is_silent(file_number: int) -> bool:
    """Return whether nothing has come in since the last answer, without a query.

    A server that closes a connection says so: the end of the stream can be read. One
    that vanished silently looks idle until keep-alive has closed the socket.
    """
    poll = select.poll()
    poll.register(file_number, select.POLLIN)
    return not poll.poll(0)


_pools: WeakSet["BoundedPool[Any]"] = WeakSet()


def _start_all_empty() -> None:
    # Disconnecting here would shut down sockets that the parent uses.
    for pool in list(_pools):
        pool._start_empty()  # noqa: SLF001 - its own class's business, after a fork


os.register_at_fork(after_in_child=_start_all_empty)
