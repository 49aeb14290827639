"""How much of what measurements ask for a run grants them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from perf.bench.errors import BenchmarkError
from perf.bench.measurement import AnyMeasurement

QUICK_REPEATS = 3
QUICK_TIME_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of what a measurement asks for is granted."""

    repeats: int | None = None
    is_quick: bool = False

    def __post_init__(self) -> None:
        if self.repeats is not None and self.repeats < 1:
            raise BenchmarkError(
                f"{self.repeats} repeats measure nothing. Ask for at least 1."
            )

    def repeats_of(self, measurement: AnyMeasurement) -> int:
        asked = self.repeats or measurement.repeats
        return min(asked, QUICK_REPEATS) if self.is_quick else asked

    def time_limit_s_of(self, measurement: AnyMeasurement) -> float:
        asked_s = measurement.time_limit_s
        return min(asked_s, QUICK_TIME_LIMIT_S) if self.is_quick else asked_s


_is_quick: ContextVar[bool] = ContextVar("is_quick", default=False)


def is_quick_run() -> bool:
    """Tell a suite whether it should show that it works rather than measure well."""
    return _is_quick.get()


@contextmanager
def granting(bounds: Bounds) -> Iterator[None]:
    token = _is_quick.set(bounds.is_quick)
    try:
        yield
    finally:
        _is_quick.reset(token)
