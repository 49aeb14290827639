"""The engine that DATABASES names as `perf.connections.postgresql`."""

import os
from typing import Any, ClassVar
from weakref import finalize

from django.db import Error, connections
from django.db.backends.base.base import NO_DB_ALIAS
from django_prometheus.db.backends.postgresql import base
from psycopg import Connection
from psycopg import Error as DriverError
from psycopg.errors import ConnectionTimeout
from psycopg_pool import PoolTimeout

from perf.connections.pool import is_silent
from perf.connections.postgresql.pool import DRIVER, SERVER, CheckedPool
from perf.metrics import CONNECTION_RECONNECTS, CONNECTIONS


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # no types
    """Checks an idle connection by its socket, without a query.

    Where the server vanished silently, TCP's keep-alive closes the socket; a query
    would hang there as well.
    """

    Database = DRIVER  # has all that Django uses of a module
    _connection_pools: ClassVar[dict[str, CheckedPool]] = {}

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        super().__init__(settings_dict, alias)
        self._connect_error: Exception | None = None
        self._broke = False

    @property
    def pool(self) -> CheckedPool | None:
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        known = self._connection_pools.get(self.alias)
        # Not opened yet, so that of several made at once the first stays.
        return known or self._connection_pools.setdefault(
            self.alias,
            CheckedPool(
                kwargs=self.get_connection_params() | {"autocommit": True},
                open=False,
                configure=self._configure_connection,
                **options,
            ),
        )

    @property
    def is_lost(self) -> bool:
        """Return whether it was the connection that failed last, not a statement.

        A pool with nothing to lend is no loss: that was waited for already. Nor is
        a server that timed out, at a statement or while connecting.
        """
        if getattr(self.connection, "gave_up", False):
            return False
        if self.in_atomic_block or not (self.errors_occurred or self._broke):
            return False
        if self._connect_error is not None:
            waited = (PoolTimeout, ConnectionTimeout)
            return not isinstance(self._connect_error, waited)
        return self._broke or (self.connection is not None and self.connection.closed)

    def reconnect(self) -> bool:
        """Replace the connection; False if the server does not take a new one."""
        self._broke = False
        try:
            self.close()
            self.ensure_connection()
        except Error:
            return False
        CONNECTION_RECONNECTS.labels(SERVER).inc()
        return True

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        try:
            connection: Connection[Any] = super().get_new_connection(conn_params)
        except DriverError as error:
            self._connect_error = error
            raise
        self._connect_error = None
        if self.pool is None:
            _count(connection)
        return connection

    def is_usable(self) -> bool:
        is_usable = self._seems_alive() or super().is_usable()
        if not is_usable:
            CONNECTION_RECONNECTS.labels(SERVER).inc()
        return is_usable

    def close_if_unusable_or_obsolete(self) -> None:
        super().close_if_unusable_or_obsolete()
        self._broke = False

    def _close(self) -> None:
        # A transaction that broke closes its connection and opens another by itself.
        if self.errors_occurred and self.connection is not None:
            has_given_up = getattr(self.connection, "gave_up", False)
            self._broke = self._broke or (self.connection.closed and not has_given_up)
        super()._close()

    def _seems_alive(self) -> bool:
        if self.connection is None or self.connection.closed or self.errors_occurred:
            return False
        return is_silent(self.connection.pgconn.socket)


# Never closed, because closing one would end it for the parent too.
_inherited: list[Any] = []


def _forget_inherited() -> None:
    """Have a forked child begin without the connections of its parent."""
    for wrapper in connections.all(initialized_only=True):
        if wrapper.connection is not None and wrapper.vendor == "postgresql":
            _inherited.append(wrapper.connection)
            wrapper.connection = None
    # The threads that serve a pool stayed behind.
    pools = DatabaseWrapper._connection_pools  # noqa: SLF001 - has no other name
    _inherited.extend(pools.values())
    pools.clear()


os.register_at_fork(after_in_child=_forget_inherited)


def _count(connection: Connection[Any]) -> None:
    """Count it as in use by its thread, until it or its thread has ended."""
    gauge = CONNECTIONS.labels(SERVER, "in_use")
    gauge.inc()
    finalize(connection, gauge.dec).atexit = False
