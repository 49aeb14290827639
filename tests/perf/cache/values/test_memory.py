from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
from django.conf import LazySettings
from numpy.typing import NDArray

from perf.cache.memory import ByteCache
from perf.switches import Switch
from tests.support.waiting import wait_until

Kilobytes = NDArray[np.uint8]


def kilobytes(count: int) -> Kilobytes:
    return np.zeros(count * 1_000, dtype=np.uint8)


def make_cache(max_bytes: int) -> ByteCache[Kilobytes]:
    return ByteCache("test", max_bytes=max_bytes)


def test_computes_once() -> None:
    cache = make_cache(10_000)
    first = cache.get_or_compute("a", lambda: kilobytes(1))
    assert cache.get_or_compute("a", lambda: kilobytes(2)) is first


def test_who_asks_meanwhile_waits_for_the_same() -> None:
    cache, begun, go_on = make_cache(10_000), Event(), Event()

    def slowly() -> Kilobytes:
        begun.set()
        assert go_on.wait(10)
        return kilobytes(1)

    with ThreadPoolExecutor(5) as threads:
        futures = [threads.submit(cache.get_or_compute, "a", slowly) for _ in range(5)]
        wait_until(lambda: cache._single_flight._calls["a"].waiters == 4)
        go_on.set()
    assert len({id(future.result()) for future in futures}) == 1


def test_the_least_recently_used_leaves_first() -> None:
    cache = make_cache(3_000)
    for name in "abc":
        cache.get_or_compute(name, lambda: kilobytes(1))
    kept = cache.get_or_compute("a", lambda: kilobytes(1))
    cache.get_or_compute("d", lambda: kilobytes(1))
    assert cache.nbytes == 3_000
    assert cache.get_or_compute("a", lambda: kilobytes(1)) is kept
    assert cache.get_or_compute("b", lambda: kilobytes(2)).size == 2_000


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    cache = make_cache(1_500)
    cache.get_or_compute("small", lambda: kilobytes(1))
    cache.get_or_compute("large", lambda: kilobytes(2))
    assert cache.nbytes == 1_000
    cache.clear()
    assert cache.nbytes == 0


def test_switched_off_it_computes_every_time(settings: LazySettings) -> None:
    cache = make_cache(10_000)
    first = cache.get_or_compute("a", lambda: kilobytes(1))
    settings.PERFORMANCE_OFF = frozenset({Switch.MODELS})
    assert cache.get_or_compute("a", lambda: kilobytes(1)) is not first
