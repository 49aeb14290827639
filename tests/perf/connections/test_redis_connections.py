"""Connections to Redis: named, bounded, replaced once, and never waited for long."""

import os
import socket
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from django.conf import settings
from django_redis.pool import ConnectionFactory
from prometheus_client import REGISTRY
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests.support.forking import in_child
from tests.support.waiting import wait_until

OPTIONS: Any = settings.CACHES["default"]["OPTIONS"]


def connect(url: str, **more: object) -> Redis:
    """Make a pool of its own, as django-redis makes the one of the process."""
    pool = {**OPTIONS["CONNECTION_POOL_KWARGS"], **more}
    factory = ConnectionFactory({**OPTIONS, "CONNECTION_POOL_KWARGS": pool})
    parameters = factory.make_connection_params(url)
    return Redis(connection_pool=factory.get_connection_pool(parameters))


@pytest.fixture
def client() -> Generator[Redis]:
    with closing(connect(os.environ["REDIS_URL"], client_name="probe")) as client:
        yield client
        client.connection_pool.disconnect()


@pytest.fixture
def admin() -> Generator[Redis]:
    with Redis.from_url(os.environ["REDIS_URL"]) as admin:
        yield admin


def clients_named(admin: Redis, name: str) -> list[str]:
    return [one["id"] for one in admin.client_list() if one["name"] == name]


def reconnects() -> float:
    labels = {"server": "redis"}
    name = "perf_connection_reconnects_total"
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_the_server_knows_its_client_by_name(admin: Redis) -> None:
    with closing(connect(os.environ["REDIS_URL"])) as client:
        client.ping()
        assert clients_named(admin, "riskplatform")
        client.connection_pool.disconnect()


def test_a_killed_connection_is_replaced_unseen(client: Redis, admin: Redis) -> None:
    client.ping()
    before = reconnects()
    for number in clients_named(admin, "probe"):
        admin.client_kill_filter(_id=number)

    assert client.ping()
    assert reconnects() - before == 1.0


def test_a_command_whose_connection_breaks_is_repeated(admin: Redis) -> None:
    client = connect(os.environ["REDIS_URL"], client_name="cut", socket_timeout=20)
    before = reconnects()

    def waiting() -> list[str]:
        return [
            one["id"]
            for one in admin.client_list()
            if one["name"] == "cut" and one["cmd"] == "blpop"
        ]

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(client.blpop, ["probe:list"], timeout=10)
        wait_until(waiting)
        (cut,) = waiting()
        admin.client_kill_filter(_id=cut)
        wait_until(lambda: waiting() not in ([], [cut]))
        admin.rpush("probe:list", "item")
        assert answer.result(timeout=20) == (b"probe:list", b"item")
    assert reconnects() - before == 1.0
    client.connection_pool.disconnect()


def test_a_hanging_server_is_asked_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0.5)
        port = silent.getsockname()[1]
        client = connect(f"redis://127.0.0.1:{port}/0")
        with pytest.raises(RedisTimeoutError):
            client.ping()
        silent.accept()[0].close()
        with pytest.raises(TimeoutError):
            silent.accept()


def test_threads_share_few_connections_by_waiting(admin: Redis) -> None:
    url = os.environ["REDIS_URL"]
    client = connect(url, client_name="few", max_connections=2, timeout=10)
    with ThreadPoolExecutor(16) as threads:
        answers = threads.map(lambda n: client.echo(f"{n}"), range(400))
        assert list(answers) == [f"{n}".encode() for n in range(400)]
    assert 0 < len(clients_named(admin, "few")) <= 2
    client.connection_pool.disconnect()


def test_with_all_in_use_it_is_an_error_that_passes(client: Redis) -> None:
    pool = connect(os.environ["REDIS_URL"], max_connections=1).connection_pool
    held = pool.get_connection()
    with pytest.raises(RedisConnectionError, match="No connection available"):
        pool.get_connection()
    pool.release(held)
    assert pool.get_connection() is held
    pool.disconnect()


def test_a_forked_child_connects_for_itself(client: Redis, admin: Redis) -> None:
    number = client.client_id()

    assert in_child(lambda: client.client_id() != number)
    assert client.client_id() == number
    wait_until(lambda: len(clients_named(admin, "probe")) == 1)
