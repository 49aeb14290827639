"""Changes that come at the worst moment leave nothing old behind."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event, current_thread
from typing import Any

import pytest
from redis import Redis

from perf.cache.change_feed import LEASE_S, SETTLE_S, ChangeFeed
from perf.cache.outbox import MOST_NAMES, NAMES_AT_ONCE, Outbox
from perf.cache.scripts import CHANGE
from perf.cache.store import KEYS, NAME_KEPT_MS
from perf.circuit_breaker import FAILURES, CircuitBreaker
from perf.connections.redis_pool import CachePool
from perf.shared_store import SharedStore
from tests.support.edge_harness import (
    CountingApp,
    ask,
    edge_around,
    redis_client,
    running_feed,
    some_name,
    some_path,
)
from tests.support.waiting import wait_until

WAIT_S = 10.0


def pooled_client(client_name: str) -> Redis:
    """Connect as the product does, with a pool that repeats what broke."""
    pool = CachePool.from_url(
        os.environ["REDIS_URL"],
        max_connections=32,
        timeout=1,
        socket_timeout=1,
        client_name=client_name,
    )
    return Redis(connection_pool=pool)


def listener_of(redis: Redis, client_name: str) -> str:
    """Find the connection on which a client of this name hears."""
    clients: Any = redis.client_list(_type="pubsub")
    (found,) = [each["id"] for each in clients if each["name"] == client_name]
    return str(found)


def test_who_asks_after_a_write_does_not_join_a_computation_from_before_it(
    app: CountingApp, feed: ChangeFeed, name: str
) -> None:
    edge, path = edge_around(app, feed), some_path()
    go_on, is_inside = Event(), Event()

    def hold() -> None:
        is_inside.set()
        assert go_on.wait(WAIT_S)

    app.during = hold
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(partial(ask, edge, path))
        assert is_inside.wait(WAIT_S)
        feed.publish(frozenset({name}))
        app.during = lambda: None
        second = threads.submit(partial(ask, edge, path))
        wait_until(lambda: len(edge._computing._single_flight._calls) == 2)
        go_on.set()
        assert first.result().body == b"1::"
        assert second.result().body == b"2::"


def test_who_looks_between_the_drop_and_its_announcement_keeps_nothing_old(
    app: CountingApp, feed: ChangeFeed, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge, path = edge_around(app, feed), some_path()
    assert ask(edge, path).body == b"1::"
    publish, find = feed.shared.publish, edge._find

    def look_first(*args: Any) -> None:
        # As a thread does that had passed the first checks before.
        feed._undelivered.clear()
        assert ask(edge, path).body == b"1::"
        publish(*args)

    monkeypatch.setattr(feed.shared, "publish", look_first)
    feed.publish(frozenset({name}))
    monkeypatch.setattr(edge, "_find", find)
    assert ask(edge, path).body == b"2::"


def test_a_connection_that_came_back_by_itself_is_not_trusted(name: str) -> None:
    app, path = CountingApp(names=frozenset({name})), some_path()
    heard_as = some_name().replace(":", "-")
    connect = partial(pooled_client, heard_as)
    with running_feed() as feed, running_feed(connect) as other:
        here, there = edge_around(app, feed), edge_around(app, other)
        assert [ask(edge, path).body for edge in (here, there)] == [b"1::"] * 2
        message = feed._message([name])
        with redis_client() as redis, redis.pipeline(transaction=True) as pipeline:
            listener = listener_of(redis, heard_as)
            pipeline.execute_command("CLIENT", "KILL", "ID", listener)
            pipeline.eval(
                CHANGE, 1, feed.shared.channel, KEYS, message, NAME_KEPT_MS, name
            )
            pipeline.execute()
        within_s = LEASE_S + SETTLE_S + WAIT_S
        wait_until(lambda: ask(there, path).body != b"1::", within_s=within_s)


def test_a_change_whose_version_was_lost_is_still_a_change(
    app: CountingApp, feed: ChangeFeed, name: str
) -> None:
    with running_feed() as other, redis_client() as redis:

        def change_and_lose() -> None:
            other.publish(frozenset({name}))
            redis.delete(f"{KEYS}name:{name}")

        edge, there, path = edge_around(app, feed), edge_around(app, other), some_path()
        app.during = change_and_lose
        assert ask(edge, path).body == b"1::"
        app.during = lambda: None
        assert ask(there, path).body == b"2::"


def test_names_go_in_parts_and_very_many_as_everything() -> None:
    sent: list[int] = []
    outbox = Outbox(
        send=lambda names: sent.append(len(names)), send_all=lambda: sent.append(-1)
    )
    for count in (2 * NAMES_AT_ONCE + 1, MOST_NAMES + 1):
        outbox.add([str(number) for number in range(count)])
        assert outbox.send()
    assert sent == [NAMES_AT_ONCE, NAMES_AT_ONCE, 1, -1]
    assert outbox.waiting == {}


def test_nobody_waits_for_a_redis_that_is_known_to_be_away(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    circuit = CircuitBreaker(open_s=60.0)
    for _ in range(FAILURES):
        circuit.failed()
    client = redis_client()
    feed = ChangeFeed(SharedStore(lambda: client, circuit=circuit))
    publish, senders = feed.shared.publish, []

    def send(*args: Any) -> None:
        senders.append(current_thread())
        publish(*args)

    monkeypatch.setattr(feed.shared, "publish", send)
    feed.publish({name})
    try:
        wait_until(lambda: not feed.is_behind({name}))
    finally:
        feed.stop()
        client.close()
    assert senders == [feed._thread]


def test_a_refresh_that_fails_leaves_the_old_answer_in_use(
    app: CountingApp, feed: ChangeFeed
) -> None:
    edge, path = edge_around(app, feed), some_path()
    ask(edge, path)
    (entry,) = list(edge._local)
    entry.cost_s = 1e9
    app.status = "503 Service Unavailable"
    assert ask(edge, path).body == b"1::"
    app.status = "404 Not Found"
    assert ask(edge, path).status == 404


def test_names_that_were_dropped_leave_nothing_in_memory(
    app: CountingApp, feed: ChangeFeed, name: str
) -> None:
    edge = edge_around(app, feed)
    ask(edge, some_path())
    feed.publish(frozenset({name, *(some_name() for _ in range(50))}))
    assert dict(edge._local._keys_of) == {}
