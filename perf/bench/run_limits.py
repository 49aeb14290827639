"""How long a run lets its measurements take."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from perf.bench.errors import BenchmarkError
from perf.bench.measurement import AnyMeasurement

QUICK_REPEATS = 3
QUICK_TIME_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """How much of what a measurement states is granted."""

    repeats: int | None = None
    is_quick: bool = False

    def __post_init__(self) -> None:
        if self.repeats is not None and self.repeats < 1:
            raise BenchmarkError(
                f"{self.repeats} repeats measure nothing. Ask for at least 1."
            )

    def repeats_of(self, measurement: AnyMeasurement) -> int:
        wanted = self.repeats or measurement.repeats
        return min(wanted, QUICK_REPEATS) if self.is_quick else wanted

    def time_limit_s_of(self, measurement: AnyMeasurement) -> float:
        wanted_s = measurement.time_limit_s
        return min(wanted_s, QUICK_TIME_LIMIT_S) if self.is_quick else wanted_s


_is_quick: ContextVar[bool] = ContextVar("is_quick", default=False)


def is_quick_run() -> bool:
    """Return whether a suite should show that it works rather than measure well."""
    return _is_quick.get()


@contextmanager
def limiting(limits: RunLimits) -> Iterator[None]:
    token = _is_quick.set(limits.is_quick)
    try:
        yield
    finally:
        _is_quick.reset(token)
