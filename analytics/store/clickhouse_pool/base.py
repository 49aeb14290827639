"""The engine that DATABASES names as `analytics.store.clickhouse_pool`.

Django's ClickHouse engine over a pool that waits when all its clients work, and
clients that wait for their server no longer than the work may take.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clickhouse_backend.backend import base
from clickhouse_backend.driver.client import Client
from clickhouse_backend.driver.connection import Connection
from clickhouse_driver.errors import SocketTimeoutError
from django.utils.asyncio import async_unsafe

from perf.circuit_breaker import CircuitBreaker
from perf.connections.pool import BoundedPool, is_silent
from perf.deadlines import remaining_s

SERVER = "clickhouse"
MAX_SIZE = 16
WAIT_S = 5.0
# A server that is well answers these at once, whatever it works on.
PING_S = 1.0
CONNECT_S = 2.0
# The server stops a query itself when its time is up, and says so within this time.
GRACE_S = 2.0
SHORTEST_S = 0.1
# Without a deadline: statements such as ALTER send nothing until their end; a
# stream sends a block now and then.
SILENCE_S = 300.0
STREAM_SILENCE_S = 60.0

logger = logging.getLogger(__name__)


class BoundedClient(Client):  # type: ignore[misc]  # the driver has no types
    """Gives up where the server is silent for longer than the deadline allows.

    A server that hangs accepts connections and says nothing. What it does not answer
    is counted in a circuit that all clients of a pool share: while that is open, only
    one query in some seconds waits for the server and all others fail at once.
    """

    def __init__(self, *args: Any, circuit: CircuitBreaker, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._circuit = circuit
        self._silence_s = SILENCE_S

    def execute_iter(self, *args: Any, **kwargs: Any) -> Any:
        self._silence_s = STREAM_SILENCE_S
        try:
            return super().execute_iter(*args, **kwargs)
        finally:
            self._silence_s = SILENCE_S

    def establish_connection(self, settings: Any) -> None:
        """Make sure that the server answers, and say how long the query may take.

        Raises
        ------
        SocketTimeoutError
            It does not answer, or has not lately and is left alone for some seconds.
        """
        if not self._circuit.lets_through():
            raise SocketTimeoutError("It has not answered and is not tried again yet")
        left_s = remaining_s()
        connection = self.connection
        connection.sync_request_timeout = _within(left_s, PING_S)
        connection.connect_timeout = _within(left_s, CONNECT_S)
        # The driver waits as long as this for the answer to its greeting.
        connection.send_receive_timeout = connection.connect_timeout
        # A failure within less time than that says nothing about the server.
        counts = left_s is None or left_s >= PING_S + CONNECT_S
        with self._noting_answers(counts=counts):
            super().establish_connection(settings)
        silence_s = self._silence_s if left_s is None else left_s
        connection.socket.settimeout(max(silence_s, SHORTEST_S) + GRACE_S)

    @contextmanager
    def _noting_answers(self, *, counts: bool) -> Iterator[None]:
        try:
            yield
        except SocketTimeoutError:
            if counts and self._circuit.failed():
                logger.warning("ClickHouse does not answer and is left alone")
            raise
        except BaseException:
            # A refusal is an answer too.
            self._circuit.succeeded()
            raise
        if self._circuit.succeeded():
            logger.warning("ClickHouse answers again")


class DriverPool(BoundedPool[BoundedClient]):
    """A bounded pool that is spoken to as the driver speaks to its own."""

    def pull(self) -> BoundedClient:
        return self.acquire()

    def push(self, client: BoundedClient) -> None:
        # One at work is in the middle of an answer that is not read.
        self.release(client, is_reusable=not client.connection.is_query_executing)

    def cleanup(self) -> None:
        self.close()


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
        self.pool = DriverPool(
            lambda: BoundedClient(**arguments, circuit=circuit),
            server=SERVER,
            max_size=max_size,
            wait_s=wait_s,
            is_dead=is_dead,
        )


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


def is_dead(client: BoundedClient) -> bool:
    """Return whether the server hung up, or sent unrequested data."""
    connection = client.connection
    return bool(connection.connected) and not is_silent(connection.socket.fileno())


def _within(left_s: float | None, usual_s: float) -> float:
    return usual_s if left_s is None else max(min(left_s, usual_s), SHORTEST_S)
