"""Another client of Redis writes something else there: nothing of it is used."""

import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from django.conf import LazySettings
from hypothesis import given, settings
from hypothesis import strategies as st

from perf.cache.store import _seal
from perf.metrics import CacheOutcome
from perf.shared_store import store
from tests.perf.cache.keeping import Counted, IntCache, count_of, fresh_parts


def plant(cache: IntCache, parts: tuple[str], blob: bytes) -> None:
    """Put something in the place of a value that would be found."""
    cache.get_or_compute(parts, lambda: 99)
    store.run(lambda redis: redis.hset(cache.entry_key(parts), "blob", blob))


def signed(cache: IntCache, parts: tuple[str], content: bytes) -> bytes:
    return _seal(cache.cache.key(parts), content, 0.0)


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
    cache, parts = IntCache(), fresh_parts()
    contents = [b"p" + trap, trap, b"z" + zlib.compress(trap)]
    for blob in (trap, *(signed(cache, parts, content) for content in contents)):
        plant(cache, parts, blob)
        assert cache.get_or_compute(parts, lambda: 7) == 7
    assert count_of(cache, CacheOutcome.GARBAGE) == 4
    assert not (tmp_path / "executed").exists()


@settings(deadline=None)
@given(blob=st.binary(max_size=100))
def test_random_bytes_are_a_miss(blob: bytes) -> None:
    cache, parts, compute = IntCache(), fresh_parts(), Counted()
    plant(cache, parts, blob)
    assert cache.get_or_compute(parts, compute) == 1
    assert cache.get_or_compute(parts, compute) == 1
    assert count_of(cache, CacheOutcome.GARBAGE) > 0


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"p" + msgspec.msgpack.encode("7"), id="another type"),
        pytest.param(b"p" + b"\x91" * 100_000, id="deeply nested"),
        pytest.param(b"z" + zlib.compress(b"\x07" * 99)[:-5], id="cut off"),
        pytest.param(b"z" + zlib.compress(bytes(9 << 20)), id="a bomb"),
    ],
)
def test_what_is_not_of_this_cache_is_a_miss_and_counted(content: bytes) -> None:
    cache, parts, compute = IntCache(), fresh_parts(), Counted()
    plant(cache, parts, signed(cache, parts, content))
    assert cache.get_or_compute(parts, compute) == 1
    assert count_of(cache, CacheOutcome.GARBAGE) > 0
    assert cache.get_or_compute(parts, compute) == 1, "replaced by what is right"


def test_a_value_cut_off_or_of_another_key_is_a_miss() -> None:
    cache, parts, others = IntCache(), fresh_parts(), fresh_parts()
    cache.get_or_compute(others, lambda: 8)
    blob = store.run(lambda redis: redis.hget(cache.entry_key(others), "blob"))
    assert isinstance(blob, bytes)
    for planted in (blob, blob[:-1]):
        plant(cache, parts, planted)
        assert cache.get_or_compute(parts, lambda: 7) == 7
    assert count_of(cache, CacheOutcome.GARBAGE) == 2


def test_another_schema_is_another_key() -> None:
    cache, parts = IntCache(), fresh_parts()
    later = IntCache(cache.cache.name, schema=2)
    cache.get_or_compute(parts, lambda: 7)
    assert later.get_or_compute(parts, lambda: 8) == 8


def test_a_value_signed_elsewhere_is_a_miss(settings: LazySettings) -> None:
    cache, parts, compute = IntCache(), fresh_parts(), Counted()
    cache.get_or_compute(parts, lambda: 7)
    settings.SECRET_KEY = "of another installation"
    assert cache.get_or_compute(parts, compute) == 1


def test_another_kind_of_key_is_computed() -> None:
    cache, parts, compute = IntCache(), fresh_parts(), Counted()
    store.run(lambda redis: redis.rpush(cache.entry_key(parts), b"a list"))
    assert [cache.get_or_compute(parts, compute) for _ in range(2)] == [1, 2]
