"""What a suite consists of: measurements, each with its meter, check and target."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Any, Generic, TypeAlias, TypeVar

from perf.bench.errors import BenchmarkError

Result = TypeVar("Result")

UNITS_PER_SECOND = {"s": 1.0, "ms": 1e3, "µs": 1e6}
CLOCK_TICK_S = 1e-9


class Direction(StrEnum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter(Generic[Result]):
    """Turns the seconds that one call took, and its result, into a figure."""

    unit: str
    direction: Direction = Direction.LOWER
    figure: Callable[[float, Result], float]


def elapsed(unit: str = "ms") -> Meter[Any]:
    """Measure the time of one call in `s`, `ms` or `µs`; lower is better."""
    if unit not in UNITS_PER_SECOND:
        known = ", ".join(UNITS_PER_SECOND)
        raise BenchmarkError(
            f"{unit!r} is not a unit of time here. Use one of: {known}.", unit=unit
        )
    scale = UNITS_PER_SECOND[unit]
    return Meter(unit=unit, figure=lambda seconds, _result: seconds * scale)


def throughput(items: int, *, noun: str) -> Meter[Any]:
    """Measure `items` done by one call as `noun`/s; higher is better."""
    return Meter(
        unit=f"{noun}/s",
        direction=Direction.HIGHER,
        figure=lambda seconds, _result: items / max(seconds, CLOCK_TICK_S),
    )


def reported(
    unit: str,
    figure: Callable[[Result], float],
    *,
    direction: Direction = Direction.LOWER,
) -> Meter[Result]:
    """Take the figure out of the result: a load generator measures for itself."""
    return Meter(
        unit=unit, direction=direction, figure=lambda _seconds, result: figure(result)
    )


MILLISECONDS = elapsed()


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherFigure(Generic[Result]):
    """One more figure of the same results: a row with a target of its own."""

    name: str
    meter: Meter[Result]
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement(Generic[Result]):
    """One way to a result, or two that are alternated.

    With `before`, `check` says whether both results agree, and `target` is how many
    times better `after` has to be, whichever direction the meter has. Without, `check`
    looks at the one result, and `target` is a figure in the meter's unit. A check that
    returns nothing counts as wrong.

    `around` is entered once and surrounds all rounds (start a server, set a switch).
    `calls` repeats a short call within one reading; figures are per call.
    `single_core` pins the measuring thread, and what it starts, to one core.
    `collects_garbage` leaves the garbage collector running during a call, where
    allocation is part of what is measured.
    `further` takes more figures from the same calls: a load has many percentiles.
    """

    name: str
    after: Callable[[], Result]
    check: Callable[..., bool]
    target: float
    before: Callable[[], Result] | None = None
    meter: Meter[Result] = MILLISECONDS
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    calls: int = 1
    warmups: int = 1
    repeats: int = 15
    time_limit_s: float = 30.0
    single_core: bool = False
    collects_garbage: bool = False
    further: tuple[FurtherFigure[Result], ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise BenchmarkError("A measurement needs a name.")
        if min(self.calls, self.repeats) < 1 or self.warmups < 0:
            self._refuse("use at least 1 call, 1 repeat and 0 warm-ups")
        if not (isfinite(self.time_limit_s) and self.time_limit_s > 0):
            self._refuse("the time limit must be a positive number of seconds")
        if not isfinite(self.target):
            self._refuse("the target must be a finite number")
        if self.before is not None and self.target <= 0:
            self._refuse("the target ratio must be a positive number")

    @property
    def ways(self) -> list[Callable[[], Result]]:
        return [self.after] if self.before is None else [self.before, self.after]

    def by_figure(self) -> "list[Measurement[Result]]":
        """Return one measurement a row, the first being the measurement itself."""
        further = (
            replace(self, name=it.name, meter=it.meter, target=it.target)
            for it in self.further
        )
        return [self, *further]

    def _refuse(self, reason: str) -> None:
        raise BenchmarkError(f"{self.name}: {reason}.")


AnyMeasurement: TypeAlias = Measurement[Any]
