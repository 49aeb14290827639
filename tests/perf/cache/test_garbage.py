"""Whoever may write to Redis puts something else there: nothing of it is believed."""

import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from django.conf import LazySettings
from hypothesis import given, settings
from hypothesis import strategies as st

from perf.cache.envelope import HEADER, MAGIC, Envelope, seal, signature
from perf.cache.tallies import Outcome
from perf.cache.values import ValueCache
from perf.shared_store import store
from tests.perf.cache.keeping import Counted, count_of, fresh_parts, int_cache

MADE_S = 1e12


def plant(cache: ValueCache[int], parts: tuple[str], body: bytes) -> None:
    key = cache.key((*parts, ""))
    store.run(lambda redis: redis.set(key, body, ex=60))


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (Path.touch, (self.path,))


def test_a_pickle_is_a_miss_and_nothing_executes(tmp_path: Path) -> None:
    trap = pickle.dumps(Evil(tmp_path / "executed"))
    pickle.loads(trap)  # noqa: S301 - the trap is our own
    assert (tmp_path / "executed").exists(), "the trap works"
    (tmp_path / "executed").unlink()
    cache, parts = int_cache(), fresh_parts()
    for body in (trap, seal_raw(trap), seal_raw(zlib.compress(trap), flags=1)):
        plant(cache, parts, body)
        assert cache.get_or_compute(parts, lambda: 7) == 7
    assert count_of(cache, Outcome.GARBAGE) == 6, "looked at twice: with the lease too"
    assert not (tmp_path / "executed").exists()


def seal_raw(body: bytes, *, flags: int = 0, schema: int = 1) -> bytes:
    head = HEADER.pack(MAGIC, schema, flags, MADE_S, 100.0)
    return signature(head, body) + head + body


@settings(deadline=None)
@given(body=st.binary(max_size=100))
def test_random_bytes_are_a_miss(body: bytes) -> None:
    cache, parts, compute = int_cache(), fresh_parts(), Counted()
    plant(cache, parts, body)
    assert cache.get_or_compute(parts, compute) == 1
    assert cache.get_or_compute(parts, compute) == 1
    assert count_of(cache, Outcome.GARBAGE) > 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(seal_raw(b"\x07", schema=0), id="older schema"),
        pytest.param(seal_raw(b"", flags=2), id="nothing, where nothing cannot be"),
        pytest.param(seal_raw(msgspec.msgpack.encode("7")), id="another type"),
        pytest.param(seal_raw(b"\x91" * 100_000), id="deeply nested"),
        pytest.param(seal_raw(zlib.compress(b"\x07" * 99)[:-5], flags=1), id="cut off"),
        pytest.param(seal_raw(zlib.compress(bytes(9 << 20)), flags=1), id="a bomb"),
        pytest.param(
            seal(Envelope(body=b"\x07", made_s=MADE_S, ttl_s=9), schema=1)[:-1],
            id="a byte short",
        ),
    ],
)
def test_what_is_not_of_this_cache_is_a_miss_and_counted(body: bytes) -> None:
    cache, parts, compute = int_cache(), fresh_parts(), Counted()
    plant(cache, parts, body)
    assert cache.get_or_compute(parts, compute) == 1
    assert count_of(cache, Outcome.GARBAGE) > 0
    assert cache.get_or_compute(parts, compute) == 1, "replaced by what is right"


def test_a_value_signed_elsewhere_is_a_miss(settings: LazySettings) -> None:
    cache, parts, compute = int_cache(), fresh_parts(), Counted()
    cache.get_or_compute(parts, lambda: 7)
    settings.SECRET_KEY = "of another installation"
    assert cache.get_or_compute(parts, compute) == 1


def test_another_kind_of_key_is_computed() -> None:
    cache, parts, compute = int_cache(), fresh_parts(), Counted()
    key = cache.key((*parts, ""))
    store.run(lambda redis: redis.rpush(key, b"a list"))
    assert [cache.get_or_compute(parts, compute) for _ in range(2)] == [1, 2]
