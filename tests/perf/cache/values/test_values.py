"""Values are computed once, and come back as they were."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import numpy as np
import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from perf.cache.arrays import Arrays
from perf.cache.values import ValueCache
from perf.metrics import CacheOutcome
from perf.shared_store import store
from perf.switches import Switch
from riskplatform.kernel.errors import UnavailableError
from tests.perf.cache.keeping import (
    Counted,
    IntCache,
    as_if_dear,
    count_of,
    fresh_parts,
)
from tests.support.waiting import wait_until

FLOATS = npst.arrays(np.float64, npst.array_shapes(max_dims=3))


def test_a_value_is_computed_once() -> None:
    cache, compute, parts = IntCache(), Counted(), fresh_parts()
    assert [cache.get_or_compute(parts, compute) for _ in range(3)] == [1, 1, 1]
    assert count_of(cache, CacheOutcome.MISS) == 1
    assert count_of(cache, CacheOutcome.HIT) == 2


def test_other_parts_are_another_value() -> None:
    cache, compute = IntCache(), Counted()
    alike = [(1,), (1.5,), ("1",), (True,), (b"1",), ((1,),), (1, None), (None, 1)]
    base = uuid4().hex
    values = [cache.get_or_compute((base, *parts), compute) for parts in alike]
    assert values == list(range(1, len(alike) + 1))


@given_settings(deadline=None)
@given(numbers=FLOATS)
def test_what_is_kept_is_byte_by_byte_what_was_computed(
    numbers: NDArray[np.float64],
) -> None:
    cache = ValueCache(f"test-{uuid4().hex}", schema=1, ttl_s=100.0)
    parts = fresh_parts()
    for _ in range(2):
        kept = cache.get_or_compute(parts, lambda: {"numbers": numbers})["numbers"]
        assert kept.dtype == numbers.dtype
        assert kept.tobytes() == numbers.tobytes()
        with pytest.raises(ValueError, match="read-only"):
            kept[...] = 0.0
    assert count_of(cache, CacheOutcome.HIT) == 1


def test_shortly_before_its_end_one_computes_and_the_others_do_not_wait() -> None:
    cache, parts, begun, go_on = IntCache(), fresh_parts(), Event(), Event()
    compute = Counted()
    assert cache.get_or_compute(parts, compute) == 1
    as_if_dear(cache, parts)

    def meanwhile() -> None:
        begun.set()
        assert go_on.wait(10)

    compute.meanwhile = meanwhile
    # As another process has it, whose threads do not wait for those of this one.
    other = IntCache(name=cache.cache.name)
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(cache.get_or_compute, parts, compute)
        assert begun.wait(10)
        assert [other.get_or_compute(parts, lambda: -1) for _ in range(5)] == [1] * 5
        go_on.set()
        assert early.result() == 2
    assert other.get_or_compute(parts, lambda: -1) == 2


def test_a_refresh_that_fails_leaves_the_old_value_in_use() -> None:
    cache, parts = IntCache(), fresh_parts()
    cache.get_or_compute(parts, lambda: 1)
    as_if_dear(cache, parts)

    def fail() -> int:
        raise UnavailableError("away")

    assert [cache.get_or_compute(parts, fail) for _ in range(3)] == [1, 1, 1]
    assert count_of(cache, CacheOutcome.MISS) == 4, "a refresh was tried each time"


def test_past_its_time_a_value_is_gone() -> None:
    compute, parts = Counted(), fresh_parts()
    cache = IntCache()
    cache.get_or_compute(parts, compute)
    store.run(lambda redis: redis.pexpire(cache.entry_key(parts), 1))
    wait_until(lambda: cache.get_or_compute(parts, compute) == 2)


def test_what_failed_is_not_kept() -> None:
    cache, parts = IntCache(), fresh_parts()
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute(parts, lambda: 1 // 0)
    assert cache.get_or_compute(parts, lambda: 5) == 5


def test_switched_off_everything_is_computed(settings: LazySettings) -> None:
    cache, compute, parts = IntCache(), Counted(), fresh_parts()
    cache.get_or_compute(parts, compute)
    settings.PERFORMANCE_OFF = frozenset({Switch.VALUES})
    assert [cache.get_or_compute(parts, compute) for _ in range(2)] == [2, 3]


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": np.zeros(2_000)},
        {"a": np.array([{}], dtype=np.object_)},
    ],
    ids=["too large", "of no known kind"],
)
def test_what_cannot_be_kept_is_computed(arrays: Arrays) -> None:
    cache = ValueCache(f"test-{uuid4().hex}", schema=1, ttl_s=9.0, max_bytes=1_000)
    parts = fresh_parts()
    for _ in range(2):
        computed = cache.get_or_compute(parts, lambda: arrays)
        assert computed["a"].tolist() == arrays["a"].tolist()
    assert count_of(cache, CacheOutcome.NOT_KEPT) == 2
