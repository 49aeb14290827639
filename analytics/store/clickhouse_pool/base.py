"""The engine that DATABASES names as `analytics.store.clickhouse_pool`."""

from typing import Any

from clickhouse_backend.backend import base
from django.utils.asyncio import async_unsafe

from analytics.store.clickhouse_pool.pool import PooledConnection


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # no types
    """Every thread has its wrapper; the connection behind is one for the process."""

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> PooledConnection:
        with self._connection_sharing_lock:
            params, shared = self._clickhouse_connections.get(self.alias, (None, None))
            if params == conn_params and isinstance(shared, PooledConnection):
                return shared
            made = PooledConnection(**conn_params)
            self._clickhouse_connections[self.alias] = (conn_params, made)
            return made
