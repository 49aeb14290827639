"""What others write into Redis is never executed, and never served."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf.cache.edge.response import (
    CachedResponse,
    read_response,
    write_response,
)
from perf.cache.store import KEYS, Found, _seal, _unseal
from tests.support.edge_harness import (
    CountingApp,
    ask,
    edge_around,
    redis_client,
    running_feed,
    some_name,
    some_path,
)


class Planted:
    """Unpickled, it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["pickle", "cut", "unsigned", "text"])
def test_what_is_not_ours_is_computed_anew(tmp_path: Path, kind: str) -> None:
    canary = tmp_path / "executed"
    app = CountingApp(names=frozenset({some_name()}), padding=b"x" * 5_000)
    with running_feed() as feed, running_feed() as other_feed, redis_client() as redis:
        path = some_path()
        before = set(redis.keys(f"{KEYS}entry:*"))
        ask(edge_around(app, feed), path)
        (key,) = set(redis.keys(f"{KEYS}entry:*")) - before
        blob = redis.hget(key, "blob")
        assert blob is not None
        planted = {
            "pickle": pickle.dumps(Planted(canary)),
            "cut": blob[: len(blob) // 2],
            "unsigned": bytes(16) + blob[16:],
            "text": b"hello",
        }
        assert planted[kind] != blob
        redis.hset(key, "blob", planted[kind])
        reply = ask(edge_around(app, other_feed), path)
    assert (reply.came_from, reply.body[:2]) == ("miss", b"2:")
    assert not canary.exists()


def found(content: bytes) -> Found:
    return Found(content=content, cost_s=0.5, age_s=0.0, left_s=1.0)


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_a_response_or_none(content: bytes) -> None:
    response = read_response(found(content))
    assert response is None or isinstance(response, CachedResponse)


@given(
    body=st.binary(max_size=2_000),
    headers=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4),
    names=st.frozensets(st.text(max_size=9), max_size=3),
)
def test_a_response_comes_back_as_it_was(
    body: bytes, headers: list[tuple[str, str]], names: frozenset[str]
) -> None:
    response = CachedResponse(
        headers=headers,
        body=body,
        names=names,
        cost_s=0.5,
        created_s=0.0,
        expires_s=1.0,
        request=b"q",
    )
    back = read_response(found(write_response(response)))
    assert back is not None
    assert (back.headers, back.body, back.names) == (headers, body, names)
    assert back.gzip_body is None or back.gzip_body == response.zipped()


def test_what_is_signed_for_one_key_is_nothing_under_another() -> None:
    sealed = _seal("k", b"content", 0.5)
    assert _unseal("other", sealed, b"0", 1_000) is None
    assert _unseal("k", sealed[:-1], b"0", 1_000) is None
    entry = _unseal("k", sealed, b"2000000", 1_000)
    assert entry == Found(content=b"content", cost_s=0.5, age_s=2.0, left_s=1.0)
