"""What is kept is dropped when what it rests on changes, here and elsewhere."""

import pytest

from perf.cache.change_feed import LEASE_S, ChangeFeed
from perf.cache.store import KEYS
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


def test_the_process_that_writes_never_shows_the_old(
    app: CountingApp, feed: ChangeFeed, name: str
) -> None:
    edge, path = edge_around(app, feed), some_path()
    for number in range(1, 20):
        assert ask(edge, path).body == b"%d::" % number
        feed.publish(frozenset({name}))


def test_other_processes_hear_of_it(
    app: CountingApp, feed: ChangeFeed, other_feed: ChangeFeed, name: str
) -> None:
    here, there, path = (
        edge_around(app, feed),
        edge_around(app, other_feed),
        some_path(),
    )
    assert [ask(edge, path).body for edge in (here, there, there)] == [b"1::"] * 3
    feed.publish(frozenset({name}))
    wait_until(lambda: ask(there, path).body == b"2::", within_s=LEASE_S)


def test_what_does_not_rest_on_it_stays(app: CountingApp, feed: ChangeFeed) -> None:
    edge, path = edge_around(app, feed), some_path()
    ask(edge, path)
    feed.publish(frozenset({some_name()}))
    assert ask(edge, path).came_from == "l1"


@pytest.mark.parametrize("writer", ["feed", "other_feed"])
def test_what_changes_during_the_computation_is_not_kept(
    app: CountingApp,
    feed: ChangeFeed,
    name: str,
    writer: str,
    request: pytest.FixtureRequest,
) -> None:
    writing: ChangeFeed = request.getfixturevalue(writer)
    edge, path = edge_around(app, feed), some_path()
    app.during = lambda: writing.publish(frozenset({name}))
    assert ask(edge, path).body == b"1::"
    app.during = lambda: None
    replies = [ask(edge, path) for _ in range(2)]
    assert [reply.body for reply in replies] == [b"2::", b"2::"]
    assert replies[1].came_from in {"l1", "l2"}


def test_a_version_that_redis_lost_makes_entries_invalid(
    app: CountingApp, feed: ChangeFeed, other_feed: ChangeFeed, name: str
) -> None:
    here, there, path = (
        edge_around(app, feed),
        edge_around(app, other_feed),
        some_path(),
    )
    ask(here, path)
    with redis_client() as redis:
        assert redis.delete(f"{KEYS}name:{name}") == 1
    assert ask(there, path).came_from == "miss"


def test_without_a_lease_nothing_kept_is_used(app: CountingApp, name: str) -> None:
    with running_feed() as feed:
        edge, path = edge_around(app, feed), some_path()
        ask(edge, path)
        feed.stop()
        replies = [ask(edge, path) for _ in range(2)]
    assert [reply.came_from for reply in replies] == ["bypass", "bypass"]
    assert [reply.body for reply in replies] == [b"2::", b"3::"]
