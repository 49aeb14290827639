"""What others write into Redis is never executed, and never served."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf.cache.edge import response
from perf.cache.edge.response import Entry
from perf.cache.store import KEYS
from tests.perf.edge_harness import (
    CountingApp,
    ask,
    edge_around,
    redis_client,
    running_bus,
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
    with running_bus() as bus, running_bus() as other_bus, redis_client() as redis:
        path = some_path()
        before = set(redis.keys(f"{KEYS}entry:*"))
        ask(edge_around(app, bus), path)
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
        reply = ask(edge_around(app, other_bus), path)
    assert (reply.came_from, reply.body[:2]) == ("miss", b"2:")
    assert not canary.exists()


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_an_entry_or_none(blob: bytes) -> None:
    found = response.read(blob, key="k", age_s=0.0, ttl_s=1.0)
    assert found is None or isinstance(found, Entry)


@given(
    body=st.binary(max_size=2_000),
    headers=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4),
    names=st.frozensets(st.text(max_size=9), max_size=3),
)
def test_an_entry_comes_back_as_it_was(
    body: bytes, headers: list[tuple[str, str]], names: frozenset[str]
) -> None:
    entry = Entry(
        headers=headers,
        body=body,
        gzip_body=None,
        names=names,
        cost_s=0.5,
        created_s=0.0,
        expires_s=1.0,
        question=b"q",
    )
    blob = response.write(entry, key="k")
    assert response.read(blob, key="other", age_s=0.0, ttl_s=1.0) is None
    found = response.read(blob, key="k", age_s=0.0, ttl_s=1.0)
    assert found is not None
    assert (found.headers, found.body, found.names) == (headers, body, names)
    assert found.gzip_body is None or found.gzip_body == entry.zipped()
