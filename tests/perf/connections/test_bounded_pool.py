"""The bounded pool lends, waits, replaces, and starts empty in a forked child."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY

from perf.connections.errors import ConnectionsExhaustedError
from perf.connections.pool import BoundedPool
from tests.support.forking import in_child
from tests.support.waiting import wait_until

SERVER = "test"


class Client:
    def __init__(self) -> None:
        self.disconnects = 0
        self.is_dead = False

    def disconnect(self) -> None:
        self.disconnects += 1
        self.is_dead = False


def make_pool(
    *, max_size: int = 2, wait_s: float = 10.0, max_idle_s: float = 300.0
) -> BoundedPool[Client]:
    return BoundedPool(
        Client,
        server=SERVER,
        max_size=max_size,
        wait_s=wait_s,
        max_idle_s=max_idle_s,
        is_dead=lambda client: client.is_dead,
    )


def gauge(state: str) -> float | None:
    labels = {"server": SERVER, "state": state}
    return REGISTRY.get_sample_value("perf_connections", labels)


def test_the_client_used_last_is_lent_first() -> None:
    pool = make_pool()
    one, two = pool.acquire(), pool.acquire()
    pool.release(one)
    pool.release(two)

    assert pool.acquire() is two
    assert (gauge("in_use"), gauge("idle"), gauge("waiting")) == (1, 1, 0)


def test_whoever_finds_none_gets_the_next_one_given_back() -> None:
    pool = make_pool(max_size=1)
    client = pool.acquire()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.acquire)
        wait_until(lambda: gauge("waiting") == 1)
        pool.release(client)
        assert waiting.result(timeout=10) is client


def test_waiting_has_an_end_and_recovers_at_once() -> None:
    pool = make_pool(max_size=1, wait_s=0.01)
    client = pool.acquire()

    with pytest.raises(ConnectionsExhaustedError) as caught:
        pool.acquire()

    assert (caught.value.status, caught.value.retry_after_s) == (503, 1)
    pool.release(client)
    assert pool.acquire() is client


def test_many_threads_never_hold_more_than_there_may_be() -> None:
    pool = make_pool(max_size=3)
    held, most = [], []
    lock = threading.Lock()

    def work(_number: int) -> None:
        client = pool.acquire()
        with lock:
            held.append(client)
            most.append(len(held))
            assert len({id(one) for one in held}) == len(held)
        with lock:
            held.remove(client)
        pool.release(client)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, range(2_000)))

    assert len(most) == 2_000
    assert max(most) <= 3


def test_a_dead_client_is_disconnected_before_it_is_lent() -> None:
    pool = make_pool()
    client = pool.acquire()
    client.is_dead = True
    pool.release(client)

    assert pool.acquire() is client
    assert client.disconnects == 1


@pytest.mark.parametrize(("max_idle_s", "is_reusable"), [(300.0, False), (-1.0, True)])
def test_what_is_broken_or_idle_for_long_is_closed(
    max_idle_s: float, is_reusable: bool
) -> None:
    pool = make_pool(max_idle_s=max_idle_s)
    client = pool.acquire()
    pool.release(client, is_reusable=is_reusable)

    assert client.disconnects == 1
    assert pool.acquire() is not client


def test_giving_back_twice_changes_nothing() -> None:
    pool = make_pool(max_size=1, wait_s=0.01)
    client = pool.acquire()
    pool.release(client)
    pool.release(client)

    assert pool.acquire() is client
    with pytest.raises(ConnectionsExhaustedError):
        pool.acquire()


def test_a_forked_child_has_none_of_its_parents_clients() -> None:
    pool = make_pool(max_size=1)
    idle = pool.acquire()
    pool.release(idle)

    def is_fresh() -> bool:
        return pool.acquire() is not idle and idle.disconnects == 0

    assert in_child(is_fresh)
    assert pool.acquire() is idle
