"""psycopg's pool without its two waits: for the dead, and for a server that is back."""

import time
from typing import Any

from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from perf.connections.postgresql.bounded import BoundedConnection
from perf.connections.sockets import is_silent
from perf.metrics import (
    CONNECTION_RECONNECTS,
    CONNECTION_WAIT_SECONDS,
    CONNECTIONS_EXHAUSTED,
    show_connections,
)

SERVER = "postgresql"
# The pool connects only on request, so a thread that waits requests this often.
ASK_EVERY_S = 0.25


class CheckedPool(ConnectionPool[Connection[Any]]):
    """Lends connections that are alive.

    The pool's own check sleeps a second and more between two dead connections; here
    they are dropped at once. After a failure to connect it would sleep longer and
    longer; here it gives up at once and tries again at the next request.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            connection_class=BoundedConnection, reconnect_timeout=ASK_EVERY_S, **options
        )

    def getconn(self, timeout: float | None = None) -> Connection[Any]:
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

    def putconn(self, conn: Connection[Any]) -> None:
        super().putconn(conn)
        self._show()

    def _living_connection(self, deadline_s: float) -> Connection[Any]:
        while True:
            left_s = deadline_s - time.monotonic()
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
        idle = now["pool_available"]
        show_connections(
            SERVER,
            in_use=now["pool_size"] - idle,
            idle=idle,
            waiting=now["requests_waiting"],
        )
