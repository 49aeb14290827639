"""What processes share in Redis: the one door to it, with a circuit breaker.

django-redis owns the connections. Everything stored there may be lost, so every caller
has a way to go on without it.
"""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from django_redis import get_redis_connection
from redis import Redis
from redis.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from perf.circuit_breaker import CircuitBreaker
from perf.metrics import STORE_CIRCUIT_OPEN, STORE_ERRORS
from riskplatform.kernel.calls import note_call
from riskplatform.kernel.errors import UnavailableError

ALIAS = "default"
# Every key begins so, and ends with what its owner adds.
PREFIX = "riskplatform:perf:"

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


class StoreUnavailableError(UnavailableError):
    """Redis does not answer; the caller goes on without it."""

    code = "cache_unavailable"
    title = "The cache does not answer"


class StoreRefusesError(StoreUnavailableError):
    """Redis answers, but will not do this: out of memory, or a wrong type."""


class SharedStore:
    """Runs commands on Redis as long as it answers."""

    def __init__(
        self,
        connect: Callable[[], Redis] = lambda: get_redis_connection(ALIAS),
        *,
        circuit: CircuitBreaker | None = None,
    ) -> None:
        self._connect = connect
        self._circuit = circuit or CircuitBreaker()

    @property
    def is_reachable(self) -> bool:
        """Return whether the last attempts succeeded; makes no request."""
        return not self._circuit.is_open

    @property
    def database(self) -> int:
        """Give the number of the database; makes no request."""
        number: int = self._connect().connection_pool.connection_kwargs.get("db", 0)
        return number

    def run(self, work: Callable[[Redis], Result], *, insists: bool = False) -> Result:
        """Run commands; one attempt waits as long as the socket's timeout, at most.

        With `insists` an open circuit is ignored; no HTTP request does that.

        Raises
        ------
        StoreUnavailableError
            Redis did not answer, or the circuit is open.
        """
        if not (insists or self._circuit.lets_through()):
            raise StoreUnavailableError("The cache is not asked for some seconds.")
        started_s = time.perf_counter()
        try:
            result = work(self._connect())
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            self._note_failure(error)
            raise StoreUnavailableError("The cache does not answer.") from error
        except RedisError as error:
            STORE_ERRORS.labels(type(error).__name__).inc()
            self._circuit.succeeded()
            raise StoreRefusesError(f"The cache refuses: {error}.") from error
        finally:
            note_call("redis", time.perf_counter() - started_s)
        self.answers()
        return result

    def answers(self) -> None:
        """Note that Redis answers, and close the circuit."""
        if self._circuit.succeeded():
            STORE_CIRCUIT_OPEN.set(0)
            logger.warning("Redis answers again")

    @contextmanager
    def subscription(self, channel: str) -> Generator[PubSub]:
        """Subscribe on a connection of its own, whatever the circuit says.

        Errors of the connection are the caller's to deal with.
        """
        with self._connect().pubsub() as subscription:  # type: ignore[no-untyped-call]
            subscription.subscribe(channel)
            yield subscription

    def _note_failure(self, error: Exception) -> None:
        STORE_ERRORS.labels(type(error).__name__).inc()
        if self._circuit.failed():
            STORE_CIRCUIT_OPEN.set(1)
            logger.warning("Redis does not answer and is left alone: %s", error)


store = SharedStore()
