"""Every request is counted once, with its route and where its response came from."""

import io
from collections.abc import Generator
from threading import Event
from typing import Any

import pytest
from prometheus_client import REGISTRY

from perf.cache.change_feed import ChangeFeed
from perf.limits.dispatching import Dispatching
from perf.limits.routes import DEFAULT, HEALTH
from perf.limits.thread_group import ThreadGroup
from tests.support.detached import WITHIN_S, begin, send
from tests.support.edge_harness import (
    CountingApp,
    edge_around,
    running_feed,
    some_name,
    some_path,
)
from tests.support.wsgi_doubles import Application


def whole() -> dict[str, Any]:
    """Give what a cache key needs of a request."""
    return {
        "QUERY_STRING": "",
        "HTTP_HOST": "testserver",
        "CONTENT_LENGTH": "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }


def groups(waiting: int = 8) -> dict[str, ThreadGroup]:
    return {
        name: ThreadGroup(name, max_inside=1, max_waiting=waiting, max_per_caller=1)
        for name in (DEFAULT, HEALTH)
    }


def counted(route: str) -> dict[str, float]:
    """Give the counts of a route by outcome, and of its times by where from."""
    read = REGISTRY.get_sample_value
    return {
        outcome: read("perf_requests_total", {"route": route, "outcome": outcome}) or 0
        for outcome in ("answered", "rejected", "failed")
    } | {
        served: read("perf_request_seconds_count", {"route": route, "served": served})
        or 0
        for served in ("cached", "computed")
    }


def from_memory(route: str) -> float:
    labels = {"route": route, "outcome": "l1"}
    return REGISTRY.get_sample_value("perf_edge_requests_total", labels) or 0


def growth(before: dict[str, float], route: str) -> dict[str, float]:
    after = counted(route)
    return {
        name: after[name] - before[name] for name in after if after[name] > before[name]
    }


@pytest.fixture
def feed() -> Generator[ChangeFeed]:
    with running_feed() as running:
        yield running


def test_cached_and_computed_responses_are_counted_apart(feed: ChangeFeed) -> None:
    edge = edge_around(CountingApp(frozenset({some_name()})), feed)
    app = Dispatching(edge, at_hand=edge.at_hand, groups=groups())
    before, path, hits = counted("thing"), some_path(), from_memory("thing")
    came_from = [send(app, path, **whole()).headers["X-Cache"] for _ in range(3)]
    assert came_from == ["miss", "l1", "l1"]
    assert growth(before, "thing") == {"answered": 3, "computed": 1, "cached": 2}
    assert from_memory("thing") == hits + 2


def test_a_response_that_is_an_error_is_a_failure(feed: ChangeFeed) -> None:
    failing = CountingApp(frozenset(), status="503 Service Unavailable")
    edge = edge_around(failing, feed)
    app, before = (
        Dispatching(edge, at_hand=edge.at_hand, groups=groups()),
        counted("thing"),
    )
    assert send(app, some_path(), **whole()).status == 503
    assert growth(before, "thing") == {"failed": 1, "computed": 1}


def test_what_nothing_answers_is_a_failure_of_its_class() -> None:
    def break_off() -> None:
        raise RuntimeError("broken")

    app, before = Dispatching(Application(break_off), groups=groups()), counted(DEFAULT)
    assert send(app, "/api/v1/regions").status == 500
    assert growth(before, DEFAULT) == {"failed": 1, "computed": 1}


def test_a_refusal_counts_for_the_route_that_was_asked(feed: ChangeFeed) -> None:
    go_on = Event()
    app = CountingApp(frozenset(), during=lambda: go_on.wait(WITHIN_S))
    edge = edge_around(app, feed)
    full = Dispatching(edge, at_hand=edge.at_hand, groups=groups(waiting=0))
    before, first = counted("thing"), begin(full, some_path(), **whole())
    assert send(full, some_path(), **whole()).status == 503
    assert growth(before, "thing") == {"failed": 1}
    go_on.set()
    assert first.is_answered.wait(WITHIN_S)


def test_a_probe_is_counted_as_one() -> None:
    app, before = Dispatching(Application(), groups=groups()), counted(HEALTH)
    assert send(app, "/health/live").status == 200
    assert growth(before, HEALTH) == {"answered": 1, "computed": 1}
