"""Token buckets: what one holds after some time, and what may be taken out of it."""

import math
from dataclasses import dataclass

# A process takes this share of a bucket at once, so that busy callers cost few calls.
LEASED_SHARE = 0.01
PERIODS_S = {"s": 1, "min": 60, "h": 3_600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many requests a period; a bucket of that size fills up in one period."""

    name: str
    n_requests: int
    period_s: int

    @property
    def per_s(self) -> float:
        return self.n_requests / self.period_s

    @property
    def lease(self) -> int:
        """How many tokens a process takes at once; small buckets are not divided."""
        return max(1, math.floor(self.n_requests * LEASED_SHARE))

    @property
    def policy(self) -> str:
        """The `RateLimit-Policy` header."""
        return f'"{self.name}";q={self.n_requests};w={self.period_s}'


@dataclass(frozen=True, slots=True)
class Grant:
    """What a bucket gave, how much it holds, and after how long it gives again."""

    n_tokens: int
    n_left: int
    wait_s: float


class Bucket:
    """A bucket of one process, for when there is no shared one."""

    __slots__ = ("_as_of_s", "_limit", "_tokens")

    def __init__(self, limit: Limit, *, now_s: float) -> None:
        self._limit = limit
        self._tokens = float(limit.n_requests)
        self._as_of_s = now_s

    def take(self, wanted: int, *, now_s: float) -> Grant:
        limit = self._limit
        elapsed_s = max(0.0, now_s - self._as_of_s)
        full = min(float(limit.n_requests), self._tokens + elapsed_s * limit.per_s)
        granted = min(wanted, math.floor(full))
        self._tokens = full - granted
        self._as_of_s = max(self._as_of_s, now_s)
        wait_s = 0.0 if granted else (1.0 - self._tokens) / limit.per_s
        return Grant(granted, math.floor(self._tokens), wait_s)


def parse_limit(name: str, text: str) -> Limit:
    """Read `600/min`; seconds (s), minutes (min) and hours (h) are known."""
    count, _, period = text.partition("/")
    if not count.isdecimal() or int(count) < 1 or period not in PERIODS_S:
        periods = ", ".join(PERIODS_S)
        raise ValueError(
            f"The limit {name}={text} is not count/period, with one of: {periods}."
        )
    return Limit(name=name, n_requests=int(count), period_s=PERIODS_S[period])
