"""Where an answer comes from, and what becomes of it."""

import gzip

import orjson
import pytest

from perf.cache.change_feed import ChangeFeed
from perf.cache.edge.policy import EdgePolicy
from tests.support.edge_harness import (
    CountingApp,
    ask,
    edge_around,
    some_path,
)
from tests.support.waiting import wait_until

LONG = b"x" * 5_000


def test_an_answer_is_computed_once_for_both_levels(
    app: CountingApp, feed: ChangeFeed, other_feed: ChangeFeed
) -> None:
    here, there, path = (
        edge_around(app, feed),
        edge_around(app, other_feed),
        some_path(),
    )
    replies = [ask(here, path), ask(here, path), ask(there, path), ask(there, path)]
    assert [reply.came_from for reply in replies] == ["miss", "l1", "l2", "l1"]
    assert {reply.body for reply in replies} == {b"1::"}


def test_a_repeated_read_with_the_tag_is_told_that_nothing_changed(
    app: CountingApp, feed: ChangeFeed
) -> None:
    app.headers = [("ETag", '"tag"'), ("Vary", "Accept"), ("X-Other", "1")]
    edge, path = edge_around(app, feed), some_path()
    for expected in ("miss", "l1"):
        reply = ask(edge, path, HTTP_IF_NONE_MATCH='"other", W/"tag"')
        assert (reply.status, reply.body, reply.came_from) == (304, b"", expected)
        assert reply.headers["ETag"] == '"tag"'
        assert "X-Other" not in reply.headers
    assert ask(edge, path, HTTP_IF_NONE_MATCH='"other"').status == 200


def test_who_accepts_gzip_gets_the_same_compressed(
    app: CountingApp, feed: ChangeFeed
) -> None:
    app.padding, app.headers = LONG, [("ETag", '"tag"')]
    edge, path = edge_around(app, feed), some_path()
    plain = ask(edge, path)
    zipped = ask(edge, path, HTTP_ACCEPT_ENCODING="br, gzip")
    assert (plain.came_from, zipped.came_from) == ("miss", "l1")
    assert gzip.decompress(zipped.body) == plain.body
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.headers["ETag"] == 'W/"tag"'
    assert int(zipped.headers["Content-Length"]) == len(zipped.body) < 200


@pytest.mark.parametrize(
    ("status", "headers", "names"),
    [
        ("404 Not Found", [], {"test:name"}),
        ("503 Service Unavailable", [], {"test:name"}),
        ("200 OK", [("Set-Cookie", "a=1")], {"test:name"}),
        ("200 OK", [("Cache-Control", "no-store")], {"test:name"}),
        ("200 OK", [], set()),
    ],
)
def test_what_must_not_be_kept_is_not(
    feed: ChangeFeed, status: str, headers: list[tuple[str, str]], names: set[str]
) -> None:
    app = CountingApp(names=frozenset(names), status=status, headers=headers)
    edge, path = edge_around(app, feed), some_path()
    bodies = [ask(edge, path).body for _ in range(3)]
    assert bodies == [b"1::", b"2::", b"3::"]


def test_other_addresses_and_methods_pass_untouched(
    app: CountingApp, feed: ChangeFeed
) -> None:
    edge = edge_around(app, feed)
    for reply in (ask(edge, "/other"), ask(edge, some_path(), method="HEAD")):
        assert "X-Cache" not in reply.headers


def test_the_order_of_a_query_does_not_count(
    app: CountingApp, feed: ChangeFeed
) -> None:
    edge, path = edge_around(app, feed), some_path()
    first, second = ask(edge, path, query="a=1&b=2"), ask(edge, path, query="b=2&a=1")
    assert (first.body, second.body) == (b"1::", b"1::")
    assert ask(edge, path, query="a=1&b=3").came_from == "miss"


def test_a_post_is_told_by_what_its_body_says(
    app: CountingApp, feed: ChangeFeed
) -> None:
    edge = edge_around(app, feed, EdgePolicy(ttl_s=60.0, method="POST"))
    path = some_path()
    asked = [b'{"a":1,"b":[2]}', b'{ "b": [2],\n "a": 1 }', b'{"a":1.0,"b":[2]}']
    replies = [ask(edge, path, method="POST", body=body) for body in asked]
    assert [reply.came_from for reply in replies] == ["miss", "l1", "miss"]
    assert replies[1].body == b"1:%s:" % asked[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_IDEMPOTENCY_KEY": "k"},
        {"HTTP_COOKIE": "sessionid=x"},
        {"HTTP_CONTENT_ENCODING": "gzip"},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "9999999"},
    ],
)
def test_a_post_that_is_not_plain_is_left_to_the_view(
    app: CountingApp, feed: ChangeFeed, headers: dict[str, str]
) -> None:
    edge = edge_around(app, feed, EdgePolicy(ttl_s=60.0, method="POST"))
    path = some_path()
    for number in (1, 2):
        reply = ask(edge, path, method="POST", body=b"{}", **headers)
        assert (reply.came_from, reply.body) == ("bypass", b"%d:{}:" % number)


def test_a_kept_answer_says_its_age_and_whose_request_it_answers(
    app: CountingApp, feed: ChangeFeed
) -> None:
    app.headers = [("X-Request-ID", "the-first"), ("Date", "then")]
    edge, path = edge_around(app, feed), some_path()
    ask(edge, path)
    reply = ask(edge, path, HTTP_X_REQUEST_ID="mine")
    assert reply.headers["X-Request-ID"] == "mine"
    assert reply.headers["Age"] == "0"
    assert reply.headers["Cache-Control"] == "private, no-cache"
    assert "Date" not in reply.headers
    smuggled = ask(edge, path, HTTP_X_REQUEST_ID="a\r\nSet-Cookie: b")
    assert len(smuggled.headers["X-Request-ID"]) == 32


def test_what_is_hit_often_is_compressed_better(
    app: CountingApp, feed: ChangeFeed
) -> None:
    kinds = ("house", "shop", "school")
    rows = [
        {"name": f"asset {n % 37}", "kind": kinds[n % 3], "value": n * n % 1_000}
        for n in range(2_000)
    ]
    app.padding = orjson.dumps(rows)
    edge, path = edge_around(app, feed), some_path()
    first = ask(edge, path, HTTP_ACCEPT_ENCODING="gzip")

    def is_shorter() -> bool:
        again = ask(edge, path, HTTP_ACCEPT_ENCODING="gzip")
        assert gzip.decompress(again.body) == gzip.decompress(first.body)
        assert int(again.headers["Content-Length"]) == len(again.body)
        return len(again.body) < len(first.body)

    wait_until(is_shorter)
