"""The driver's connection over a bounded pool of clients."""

from typing import Any

from clickhouse_backend.driver.connection import Connection

from analytics.store.clickhouse_pool.client import BoundedClient
from perf.circuit_breaker import CircuitBreaker
from perf.connections.pool import BoundedPool, is_silent

SERVER = "clickhouse"
MAX_SIZE = 16
WAIT_S = 5.0


class PooledConnection(Connection):  # type: ignore[misc]  # the driver has no types
    """What all threads of a process share; every cursor borrows a client from it."""

    pool: Any  # the driver's own at first, then one that speaks as it does

    def __init__(
        self,
        *args: Any,
        max_size: int = MAX_SIZE,
        wait_s: float = WAIT_S,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **{**kwargs, "connections_min": 0})
        arguments = self.pool.connection_args
        circuit = CircuitBreaker()
        self.clients: BoundedPool[BoundedClient] = BoundedPool(
            lambda: BoundedClient(**arguments, circuit=circuit),
            server=SERVER,
            max_size=max_size,
            wait_s=wait_s,
            is_dead=is_dead,
        )
        self.pool = DriverPool(self.clients)


class DriverPool:
    """Speaks to a bounded pool as the driver speaks to its own."""

    def __init__(self, clients: BoundedPool[BoundedClient]) -> None:
        self._clients = clients

    def pull(self) -> BoundedClient:
        return self._clients.acquire()

    def push(self, client: BoundedClient) -> None:
        # One at work is in the middle of an answer that is not read.
        is_reusable = not client.connection.is_query_executing
        self._clients.release(client, is_reusable=is_reusable)

    def cleanup(self) -> None:
        self._clients.close()


def is_dead(client: BoundedClient) -> bool:
    """Return whether the server hung up, or sent unrequested data."""
    connection = client.connection
    return bool(connection.connected) and not is_silent(connection.socket.fileno())
