"""A Redis that does not answer costs little, and then nothing."""

import socket
from collections.abc import Generator

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from perf.circuit_breaker import FAILURES, CircuitBreaker
from perf.shared_store import SharedStore, StoreUnavailableError
from tests.perf.bench.bench_doubles import ManualClock
from tests.support.edge_harness import redis_client


@pytest.fixture
def silent_address() -> Generator[tuple[str, int]]:
    """Give an address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def silent_client(address: tuple[str, int]) -> Redis:
    host, port = address
    never = Retry(NoBackoff(), 0)
    return Redis(host=host, port=port, socket_timeout=0.05, retry=never)


def test_once_the_circuit_is_open_nobody_asks(
    silent_address: tuple[str, int], clock: ManualClock
) -> None:
    attempts = []

    def connect() -> Redis:
        attempts.append(1)
        return silent_client(silent_address)

    store = SharedStore(connect, circuit=CircuitBreaker(clock=clock))
    for _ in range(100):
        with pytest.raises(StoreUnavailableError):
            store.run(lambda redis: redis.ping())
    assert len(attempts) == FAILURES
    assert not store.is_reachable


def test_what_redis_refuses_does_not_open_the_circuit() -> None:
    store = SharedStore(redis_client)

    def refuse(_: Redis) -> None:
        raise ResponseError("OOM command not allowed")

    for _ in range(2 * FAILURES):
        with pytest.raises(StoreUnavailableError, match="OOM"):
            store.run(refuse)
    assert store.is_reachable
    assert store.run(lambda redis: redis.ping()) is True


def test_who_insists_is_let_through() -> None:
    circuit = CircuitBreaker()
    for _ in range(FAILURES):
        circuit.failed()
    store = SharedStore(redis_client, circuit=circuit)
    with pytest.raises(StoreUnavailableError):
        store.run(lambda redis: redis.ping())
    assert store.run(lambda redis: redis.ping(), insists=True) is True
    assert store.is_reachable
