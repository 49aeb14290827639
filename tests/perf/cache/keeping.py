"""Caches of tests: each with keys of its own, and a count of its computations."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from uuid import uuid4

import numpy as np

from perf.cache.memory import ByteCache
from perf.cache.store import COST, DIGEST_BYTES, KEYS, _seal
from perf.cache.values import ValueCache
from perf.metrics import CACHE_READS, CacheOutcome
from perf.shared_store import store


@dataclass
class Clock:
    now_s: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Counted:
    """Computes 1, 2, 3, …; how often says the last."""

    calls: int = 0
    meanwhile: Callable[[], object] = lambda: None
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _lock: Lock = field(default_factory=Lock)

    def __call__(self) -> int:
        with self._lock:
            self.calls = next(self._numbers)
            number = self.calls
        self.meanwhile()
        return number


class IntCache:
    """A cache of single numbers, with a name and so a count of its own."""

    def __init__(self, name: str = "", **options: Any) -> None:
        options = {"schema": 1, "ttl_s": 100.0, **options}
        self.cache = ValueCache(name or f"test-{uuid4().hex}", **options)

    def get_or_compute(
        self,
        parts: Sequence[object],
        compute: Callable[[], int],
        *,
        depends_on: Sequence[str] = (),
    ) -> int:
        arrays = self.cache.get_or_compute(
            parts, lambda: {"value": np.array(compute())}, depends_on=depends_on
        )
        number: int = arrays["value"].item()
        return number

    def entry_key(self, parts: Sequence[object]) -> str:
        return f"{KEYS}entry:{self.cache.key(parts)}"


def as_if_dear(cache: IntCache, parts: Sequence[object]) -> None:
    """Write down that a value took so long to compute that its end is always near."""
    entry_key = cache.entry_key(parts)
    blob: Any = store.run(lambda redis: redis.hget(entry_key, "blob"))
    content = blob[DIGEST_BYTES + COST.size :]
    dear = _seal(cache.cache.key(parts), content, 1e9)
    store.run(lambda redis: redis.hset(entry_key, "blob", dear))


def fresh_parts() -> tuple[str]:
    return (uuid4().hex,)


def count_of(
    cache: IntCache | ValueCache | ByteCache[Any], outcome: CacheOutcome
) -> int:
    name = cache.cache.name if isinstance(cache, IntCache) else cache.name
    return int(CACHE_READS.labels(name, outcome)._value.get())
