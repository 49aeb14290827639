"""The pool that django-redis lends from: bounded, counted, waiting briefly."""

from typing import Any
from weakref import WeakSet

from redis.backoff import NoBackoff
from redis.connection import BlockingConnectionPool, Connection, ConnectionInterface
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from perf.metrics import (
    CONNECTION_RECONNECTS,
    CONNECTION_WAIT_SECONDS,
    show_connections,
)

SERVER = "redis"


class RetryOnce(Retry):
    """Repeats what a broken connection cut off, once and at once.

    Never after a timeout: a store that hangs costs one timeout, not two.
    """

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, supported_errors=(RedisConnectionError,))


class CachePool(BlockingConnectionPool):
    """Waits for a connection as long as a command may take.

    Failing at once would look like a dead store, and open the circuit breaker when a
    burst of threads has nothing worse ahead of it than a millisecond.
    """

    def __init__(self, **options: Any) -> None:
        self._waiting = 0
        super().__init__(retry=RetryOnce(), **options)  # type: ignore[no-untyped-call]

    def reset(self) -> None:
        self._connected: WeakSet[ConnectionInterface] = WeakSet()
        super().reset()  # type: ignore[no-untyped-call]

    def make_connection(self) -> ConnectionInterface:
        connection: ConnectionInterface = super().make_connection()  # type: ignore[no-untyped-call]
        connection.register_connect_callback(self._note_connect)  # type: ignore[no-untyped-call]
        return connection

    def get_connection(
        self, command_name: Any = None, *keys: Any, **options: Any
    ) -> Connection:
        with CONNECTION_WAIT_SECONDS.labels(SERVER).time():
            self._waiting += 1
            self._show()
            try:
                connection: Connection = super().get_connection()  # type: ignore[no-untyped-call]
            finally:
                self._waiting -= 1
                self._show()
        return connection

    def release(self, connection: ConnectionInterface) -> None:
        super().release(connection)  # type: ignore[no-untyped-call]
        self._show()

    def _note_connect(self, connection: ConnectionInterface) -> None:
        if connection in self._connected:
            CONNECTION_RECONNECTS.labels(SERVER).inc()
        self._connected.add(connection)

    def _show(self) -> None:
        made = len(self._connections)
        # Reading the queue's own list takes no lock; a gauge may be off by one.
        idle = sum(connection is not None for connection in self.pool.queue)
        show_connections(SERVER, in_use=made - idle, idle=idle, waiting=self._waiting)
