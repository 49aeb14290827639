import numpy as np

from scoring.services.assessments.cache import ByteCache


def kilobytes(count: int) -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    return np.zeros(count * 1_000, dtype=np.uint8)


def test_computes_once() -> None:
    cache: ByteCache[np.ndarray[tuple[int], np.dtype[np.uint8]]] = ByteCache(10_000)
    first = cache.get_or_compute("a", lambda: kilobytes(1))
    assert cache.get_or_compute("a", lambda: kilobytes(2)) is first


def test_the_least_recently_used_leaves_first() -> None:
    cache: ByteCache[np.ndarray[tuple[int], np.dtype[np.uint8]]] = ByteCache(3_000)
    for name in "abc":
        cache.get_or_compute(name, lambda: kilobytes(1))
    kept = cache.get_or_compute("a", lambda: kilobytes(1))
    cache.get_or_compute("d", lambda: kilobytes(1))
    assert cache.nbytes == 3_000
    assert cache.get_or_compute("a", lambda: kilobytes(1)) is kept
    assert cache.get_or_compute("b", lambda: kilobytes(2)).size == 2_000


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    cache: ByteCache[np.ndarray[tuple[int], np.dtype[np.uint8]]] = ByteCache(1_500)
    cache.get_or_compute("small", lambda: kilobytes(1))
    cache.get_or_compute("large", lambda: kilobytes(2))
    assert cache.nbytes == 1_000
    cache.clear()
    assert cache.nbytes == 0
