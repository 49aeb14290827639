"""Caches of tests: each with keys of its own, and a count of its computations."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from uuid import uuid4

from perf.cache.codecs import msgpack_of
from perf.cache.tallies import Outcome
from perf.cache.values import ValueCache


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


def int_cache(**options: Any) -> ValueCache[int]:
    settings = {"codec": msgpack_of(int), "schema": 1, "ttl_s": 100.0, **options}
    return ValueCache("test", **settings)


def fresh_parts() -> tuple[str]:
    return (uuid4().hex,)


def count_of(cache: ValueCache[Any], outcome: Outcome) -> int:
    return cache.tally.counts()[outcome]
