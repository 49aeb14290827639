"""What a suite consists of: measurements, each with its meter, check and target."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Any, Generic, TypeAlias, TypeVar

from perf.bench.errors import BenchmarkError

Answer = TypeVar("Answer")

UNITS_PER_SECOND = {"s": 1.0, "ms": 1e3, "µs": 1e6}
CLOCK_TICK_S = 1e-9


class Direction(StrEnum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter(Generic[Answer]):
    """Turns the seconds that one call took, and its answer, into a figure."""

    unit: str
    direction: Direction
    figure: Callable[[float, Answer], float]


def elapsed(unit: str = "ms") -> Meter[Any]:
    """Measure the time of one call in `s`, `ms` or `µs`; lower is better."""
    if unit not in UNITS_PER_SECOND:
        known = ", ".join(UNITS_PER_SECOND)
        raise BenchmarkError(
            f"{unit!r} is not a unit of time here. Use one of: {known}.", unit=unit
        )
    scale = UNITS_PER_SECOND[unit]
    return Meter(
        unit=unit,
        direction=Direction.LOWER,
        figure=lambda seconds, _answer: seconds * scale,
    )


def throughput(items: int, *, noun: str) -> Meter[Any]:
    """Measure `items` done by one call as `noun`/s; higher is better."""
    return Meter(
        unit=f"{noun}/s",
        direction=Direction.HIGHER,
        figure=lambda seconds, _answer: items / max(seconds, CLOCK_TICK_S),
    )


def reported(
    unit: str,
    figure: Callable[[Answer], float],
    *,
    direction: Direction = Direction.LOWER,
) -> Meter[Answer]:
    """Take the figure out of the answer: a load generator measures for itself."""
    return Meter(
        unit=unit,
        direction=direction,
        figure=lambda _seconds, answer: figure(answer),
    )


MILLISECONDS = elapsed("ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherFigure(Generic[Answer]):
    """One more figure of the same answers: a row with a target of its own."""

    name: str
    meter: Meter[Answer]
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement(Generic[Answer]):
    """One way to an answer, or two that are alternated.

    With `before`, `check` says whether both answers agree, and `target` is how many
    times better `after` has to be, whichever direction the meter has. Without, `check`
    looks at the one answer, and `target` is a figure in the meter's unit. A check that
    returns nothing counts as wrong.

    `around` is entered once and surrounds all rounds (start a server, set a switch).
    `calls` repeats a short call within one reading; figures are per call.
    `single_core` pins the measuring thread, and what it starts, to one core.
    `collects_garbage` leaves the garbage collector running during a call, where
    allocation is part of what is measured.
    `further` takes more figures from the same calls: a load has many percentiles.
    """

    name: str
    after: Callable[[], Answer]
    check: Callable[..., bool]
    target: float
    before: Callable[[], Answer] | None = None
    meter: Meter[Answer] = MILLISECONDS
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    calls: int = 1
    warmups: int = 1
    repeats: int = 15
    time_limit_s: float = 30.0
    single_core: bool = False
    collects_garbage: bool = False
    further: tuple[FurtherFigure[Answer], ...] = ()

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
    def ways(self) -> list[Callable[[], Answer]]:
        return [self.after] if self.before is None else [self.before, self.after]

    def by_figure(self) -> "list[Measurement[Answer]]":
        """Return one measurement a row, the first being the measurement itself."""
        further = (
            replace(self, name=it.name, meter=it.meter, target=it.target)
            for it in self.further
        )
        return [self, *further]

    def accepts(self, answers: Sequence[Answer]) -> bool:
        return bool(self.check(*answers))

    def _refuse(self, reason: str) -> None:
        raise BenchmarkError(f"{self.name}: {reason}.")


AnyMeasurement: TypeAlias = Measurement[Any]
