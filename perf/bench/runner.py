"""Takes the readings: both ways alternated, answers checked, time and count bounded."""

import gc
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import isfinite
from typing import TypeAlias

from perf.bench.errors import BenchmarkError
from perf.bench.machine import measured_core, pinned_to
from perf.bench.measurement import AnyMeasurement, Measurement, Result
from perf.bench.registry import Suite
from perf.bench.report import Row, make_rows
from riskplatform.kernel.errors import ApplicationError

PROGRESS_EVERY_S = 5.0
QUICK_REPEATS, QUICK_TIME_LIMIT_S = 3, 5.0

# The figures of each side, in the order of the rows.
Round: TypeAlias = list[list[float]]

_is_quick: ContextVar[bool] = ContextVar("is_quick", default=False)


def is_quick_run() -> bool:
    """Return whether a suite should show that it works rather than measure well."""
    return _is_quick.get()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """`failures` are sentences; a measurement that failed has no row."""

    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """`repeats` stand in for those that measurements state."""

    say: Callable[[str], None]
    repeats: int | None = None
    is_quick: bool = False
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        if self.repeats is not None and self.repeats < 1:
            raise BenchmarkError(
                f"{self.repeats} repeats measure nothing. Ask for at least 1."
            )

    def run(self, suite: Suite) -> SuiteRun:
        """Run every measurement, also after one that failed.

        A failure while the suite builds a measurement ends this suite: what comes
        after it cannot be built.
        """
        run = SuiteRun()
        token = _is_quick.set(self.is_quick)
        try:
            with (
                self._collecting_failures(run, suite.name),
                closing(suite.measurements()) as measurements,
            ):
                for measurement in measurements:
                    label = f"{suite.name}: {measurement.name}"
                    with self._collecting_failures(run, label):
                        run.rows.extend(self._measure(measurement, label))
        finally:
            _is_quick.reset(token)
        return run

    @contextmanager
    def _collecting_failures(self, run: SuiteRun, label: str) -> Generator[None]:
        try:
            yield
        except ApplicationError as error:
            run.failures.append(f"{label}: {error.message}")
            self.say(run.failures[-1])

    def _measure(self, measurement: AnyMeasurement, label: str) -> list[Row]:
        repeats = self.repeats or measurement.repeats
        limit_s = measurement.time_limit_s
        if self.is_quick:
            repeats = min(repeats, QUICK_REPEATS)
            limit_s = min(limit_s, QUICK_TIME_LIMIT_S)
        core = measured_core() if measurement.single_core else None
        self.say(f"{label} ({repeats} rounds or {limit_s:g} s)")
        if measurement.single_core and core is None:
            self.say("  this system cannot pin to one core; all are used")
        with measurement.around(), pinned_to(core):
            until_s = self.clock() + limit_s
            for _ in range(measurement.warmups):
                self._take_round(measurement)
            rounds = self._take_rounds(measurement, repeats, until_s)
        return make_rows(measurement, rounds)

    def _take_rounds(
        self, measurement: AnyMeasurement, repeats: int, until_s: float
    ) -> list[Round]:
        rounds: list[Round] = []
        said_s = now_s = self.clock()
        while not rounds or (len(rounds) < repeats and now_s < until_s):
            if now_s - said_s >= PROGRESS_EVERY_S:
                said_s, left_s = now_s, until_s - now_s
                self.say(f"  {len(rounds)}/{repeats} rounds, {left_s:.0f} s at most")
            rounds.append(self._take_round(measurement))
            now_s = self.clock()
        return rounds

    def _take_round(self, measurement: AnyMeasurement) -> Round:
        readings = [self._read(measurement, work) for work in measurement.ways]
        if not measurement.check(*(result for _, result in readings)):
            raise BenchmarkError(
                "the answer is wrong, so its figures mean nothing. "
                "Repair the code or the check."
            )
        return [figures for figures, _ in readings]

    def _read(
        self, measurement: Measurement[Result], work: Callable[[], Result]
    ) -> tuple[list[float], Result]:
        with _clean_heap(is_collected=measurement.collects_garbage):
            started_s = self.clock()
            for _ in range(measurement.calls - 1):
                work()
            result = work()
            seconds = (self.clock() - started_s) / measurement.calls
        figures = [row.meter.figure(seconds, result) for row in measurement.by_figure()]
        for figure in figures:
            if not isfinite(figure) or figure < 0:
                raise BenchmarkError(f"{figure} is not a figure. Repair the meter.")
        return figures, result


@contextmanager
def _clean_heap(*, is_collected: bool) -> Generator[None]:
    """Start from a clean heap, so that no side pays for the other's garbage."""
    gc.collect()
    was_enabled = gc.isenabled()
    if not is_collected:
        gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
