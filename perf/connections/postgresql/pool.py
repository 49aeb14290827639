"""psycopg's connections and pool, without long waits for what is dead or hangs."""

import time
from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg.errors import QueryCanceled
from psycopg_pool import ConnectionPool, PoolTimeout

from perf.connections.pool import is_silent
from perf.metrics import (
    CONNECTION_RECONNECTS,
    CONNECTION_WAIT_SECONDS,
    CONNECTIONS_EXHAUSTED,
    show_connections,
)

SERVER = "postgresql"
# How often psycopg looks whether it was interrupted, as it does by itself.
INTERVAL_S = 0.1
# The pool connects only on request, so a thread that waits requests this often.
ASK_EVERY_S = 0.25


class BoundedConnection(psycopg.Connection[Any]):
    """Gives a statement up, and itself, where the server is silent for too long.

    A server cancels what takes too long by `statement_timeout`. One that hangs does
    not, and its kernel still keeps the connection alive.
    """

    # Set by code that knows how long a statement may take; without it, no limit.
    wait_limit_s: float | None = None
    gave_up: bool = False

    def wait(
        self, gen: Any, interval: float = INTERVAL_S, timeout: float | None = None
    ) -> Any:
        if timeout is not None or self.wait_limit_s is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.wait_limit_s)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - `wait` documents it
            self.gave_up = True
            self.pgconn.finish()
            raise QueryCanceled("The server was silent for too long.") from None


# What Django takes the driver from, with connections that are bounded.
DRIVER = SimpleNamespace(**(vars(psycopg) | {"connect": BoundedConnection.connect}))


class CheckedPool(ConnectionPool[psycopg.Connection[Any]]):
    """Lends connections that are alive.

    The pool's own check sleeps a second and more between two dead connections; here
    they are dropped at once. After a failure to connect it would sleep longer and
    longer; here it gives up at once and tries again at the next request.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            connection_class=BoundedConnection, reconnect_timeout=ASK_EVERY_S, **options
        )

    def getconn(self, timeout: float | None = None) -> psycopg.Connection[Any]:
        started_s = time.monotonic()
        limit_s = self.timeout if timeout is None else timeout
        try:
            return self._living_connection(started_s + limit_s)
        except PoolTimeout:
            CONNECTIONS_EXHAUSTED.labels(SERVER).inc()
            raise
        finally:
            CONNECTION_WAIT_SECONDS.labels(SERVER).observe(time.monotonic() - started_s)
            self._show()

    def putconn(self, conn: psycopg.Connection[Any]) -> None:
        super().putconn(conn)
        self._show()

    def _living_connection(self, until_s: float) -> psycopg.Connection[Any]:
        while True:
            left_s = until_s - time.monotonic()
            try:
                connection = super().getconn(min(left_s, ASK_EVERY_S))
            except PoolTimeout:
                if left_s <= ASK_EVERY_S:
                    raise
                continue
            if not connection.closed and is_silent(connection.pgconn.socket):
                return connection
            CONNECTION_RECONNECTS.labels(SERVER).inc()
            connection.close()
            super().putconn(connection)

    def _show(self) -> None:
        now = self.get_stats()
        size, idle = now["pool_size"], now["pool_available"]
        waiting = now["requests_waiting"]
        show_connections(SERVER, in_use=size - idle, idle=idle, waiting=waiting)
