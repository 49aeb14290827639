"""What is requested once stays in its process, unless computing it took long."""

import io
import time
from collections.abc import Callable

import pytest

from perf.cache.change_feed import ChangeFeed
from perf.cache.edge.app import EdgeCache
from perf.cache.store import SharedCache
from tests.support.edge_harness import (
    CountingApp,
    ask,
    edge_around,
    some_name,
    some_path,
)

LONG_S, SHORT_S = 60.0, 0.01
Make = Callable[[ChangeFeed], EdgeCache]


@pytest.fixture
def quick(app: CountingApp) -> Make:
    return lambda feed: edge_around(app, feed, shared_from_s=LONG_S)


@pytest.fixture
def slow(app: CountingApp) -> Make:
    app.during = lambda: time.sleep(2 * SHORT_S)
    return lambda feed: edge_around(app, feed, shared_from_s=SHORT_S)


def outcomes(edge: EdgeCache, path: str, times: int) -> list[str]:
    return [ask(edge, path).came_from for _ in range(times)]


def test_a_quick_response_is_shared_from_the_second_time_on(
    quick: Make, feed: ChangeFeed, other_feed: ChangeFeed, app: CountingApp
) -> None:
    here, there, path = quick(feed), quick(other_feed), some_path()
    assert outcomes(here, path, 2) == ["miss", "l1"]
    assert outcomes(there, path, 2) == ["miss", "l1"]
    feed.publish(app.names)
    assert outcomes(here, path, 2) == ["miss", "l1"]
    another = quick(other_feed)
    # Of a route whose speed is not known yet, level 2 is looked at.
    assert outcomes(another, path, 2) == ["l2", "l1"]


def test_a_slow_response_is_shared_at_once(
    slow: Make, feed: ChangeFeed, other_feed: ChangeFeed
) -> None:
    here, there, path = slow(feed), slow(other_feed), some_path()
    assert outcomes(here, path, 2) == ["miss", "l1"]
    assert outcomes(there, path, 2) == ["l2", "l1"]


def test_new_requests_of_a_quick_route_do_not_wait_for_redis(
    quick: Make, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = quick(feed)
    assert outcomes(edge, some_path(), 1) == ["miss"]
    looked_up = []

    def find(*_args: object, **_more: object) -> tuple[None, None]:
        looked_up.append(1)
        return None, None

    monkeypatch.setattr(SharedCache, "find", find)
    assert outcomes(edge, some_path(), 2) == ["miss", "l1"]
    assert not looked_up


def test_the_client_is_answered_before_the_response_is_shared(
    slow: Make, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = []
    monkeypatch.setattr(SharedCache, "put", lambda *_args, **_more: stored.append(1))
    edge, path = slow(feed), some_path()
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "HTTP_HOST": "testserver",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }
    body = edge(environ, lambda *_: None)
    assert b"".join(body) == b"1::"
    assert not stored
    body.close()  # type: ignore[attr-defined]  # as servers do where there is one
    assert stored


def test_what_publishes_something_else_is_kept_the_first_time(
    slow: Make, feed: ChangeFeed, app: CountingApp
) -> None:
    """Redis knows no version of its names yet, so it cannot tell and stores nothing."""
    wait, other = app.during, some_name()

    def during() -> None:
        wait()
        feed.publish({other})

    edge, path = slow(feed), some_path()
    app.during = during
    assert outcomes(edge, path, 2) == ["miss", "l1"]
