"""Many who ask at once for what has ended cost one computation."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

from perf.cache.edge.app import EdgeCache
from perf.cache.edge.policy import EdgePolicy
from perf.cache.edge.response import CachedResponse
from tests.support.edge_harness import (
    CountingApp,
    Reply,
    ask,
    edge_around,
    running_feed,
    some_name,
    some_path,
)
from tests.support.waiting import wait_until

CLIENTS = 500
WAIT_S = 20.0


def entries_of(edge: EdgeCache) -> list[CachedResponse]:
    return list(edge._local)


def stampede(edges: list[EdgeCache], path: str, app: CountingApp) -> list[Reply]:
    """Let all clients ask, half in each process, before the computation goes on."""
    go_on, is_begun = Event(), Event()

    def hold() -> None:
        is_begun.set()
        assert go_on.wait(WAIT_S)

    app.during = hold
    with ThreadPoolExecutor(CLIENTS) as clients:
        replies = [
            clients.submit(partial(ask, edges[number % len(edges)], path))
            for number in range(CLIENTS)
        ]
        assert is_begun.wait(WAIT_S)
        flights = [edge._computing._single_flight for edge in edges]
        # The one that does not wait here computes, or waits for the one that does.
        wait_until(
            lambda: (
                sum(
                    1 + flight.waiters
                    for each in flights
                    for flight in list(each._calls.values())
                )
                == CLIENTS
            )
        )
        go_on.set()
        return [reply.result() for reply in replies]


def test_an_expired_key_costs_one_computation_among_all_processes() -> None:
    app = CountingApp(names=frozenset({some_name()}))
    policy, path = EdgePolicy(ttl_s=0.2), some_path()
    with running_feed() as feed, running_feed() as other_feed:
        edges = [edge_around(app, each, policy) for each in (feed, other_feed)]
        assert ask(edges[0], path).body == b"1::"
        wait_until(
            lambda: all(
                entry.expires_s <= time.monotonic() for entry in entries_of(edges[0])
            )
        )
        replies = stampede(edges, path, app)
    assert {reply.body for reply in replies} == {b"2::"}
    assert Counter(reply.came_from for reply in replies)["miss"] == 1


def test_of_errors_everybody_gets_an_own() -> None:
    """An error is not shared: the next attempt may well succeed."""
    app = CountingApp(names=frozenset({some_name()}), status="503 Unavailable")
    with running_feed() as feed:
        replies = stampede([edge_around(app, feed)], some_path(), app)
    assert len({reply.body for reply in replies}) == CLIENTS


def test_shortly_before_the_end_one_computes_and_the_others_do_not_wait() -> None:
    app = CountingApp(names=frozenset({some_name()}))
    path = some_path()
    with running_feed() as feed:
        edge = edge_around(app, feed)
        ask(edge, path)
        (entry,) = entries_of(edge)
        # As if the computation took so long that its end is always near.
        entry.cost_s = 1e9
        go_on, is_begun = Event(), Event()

        def hold() -> None:
            is_begun.set()
            assert go_on.wait(WAIT_S)

        app.during = hold
        with ThreadPoolExecutor(1) as threads:
            early = threads.submit(partial(ask, edge, path))
            assert is_begun.wait(WAIT_S)
            assert [ask(edge, path).body for _ in range(10)] == [b"1::"] * 10
            go_on.set()
            assert early.result().body == b"2::"
        assert ask(edge, path).body == b"2::"
