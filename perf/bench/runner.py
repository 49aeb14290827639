"""Takes the readings: both ways alternated, answers checked, time and count bounded."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from math import isfinite
from typing import TypeAlias

from perf.bench.errors import BenchmarkError
from perf.bench.machine import measured_core, pinned_to
from perf.bench.measurement import Answer, AnyMeasurement, Measurement
from perf.bench.registry import Suite
from perf.bench.report import Row, make_rows
from perf.bench.run_limits import RunLimits, limiting
from riskplatform.kernel.errors import ApplicationError

PROGRESS_EVERY_S = 5.0

# The figures of each side, in the order of the rows.
Round: TypeAlias = list[list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """`failures` are sentences; a measurement that failed has no row."""

    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    limits: RunLimits
    say: Callable[[str], None]
    clock: Callable[[], float] = time.perf_counter

    def run(self, suite: Suite) -> SuiteRun:
        """Run every measurement, also after one that failed.

        A failure while the suite builds a measurement ends this suite: what comes
        after it cannot be built.
        """
        run = SuiteRun()
        with (
            limiting(self.limits),
            self._collecting_failures(run, label=suite.name),
            closing(suite.measurements()) as measurements,
        ):
            for measurement in measurements:
                label = f"{suite.name}: {measurement.name}"
                with self._collecting_failures(run, label=label):
                    run.rows.extend(self._measure(measurement, label=label))
        return run

    @contextmanager
    def _collecting_failures(self, run: SuiteRun, *, label: str) -> Iterator[None]:
        try:
            yield
        except ApplicationError as error:
            failure = f"{label}: {error.message}"
            self.say(failure)
            run.failures.append(failure)

    def _measure(self, measurement: AnyMeasurement, *, label: str) -> list[Row]:
        repeats = self.limits.repeats_of(measurement)
        limit_s = self.limits.time_limit_s_of(measurement)
        self.say(f"{label} ({repeats} rounds or {limit_s:g} s)")
        with measurement.around(), self._pinned(measurement):
            deadline = self.clock() + limit_s
            for _ in range(measurement.warmups):
                self._take_round(measurement)
            rounds = self._take_rounds(measurement, repeats=repeats, deadline=deadline)
        return make_rows(measurement, rounds)

    def _take_rounds(
        self, measurement: AnyMeasurement, *, repeats: int, deadline: float
    ) -> list[Round]:
        rounds: list[Round] = []
        said_at = self.clock()
        while len(rounds) < repeats:
            rounds.append(self._take_round(measurement))
            moment = self.clock()
            if moment >= deadline:
                break
            if moment - said_at >= PROGRESS_EVERY_S:
                said_at = moment
                left_s = deadline - moment
                self.say(f"  {len(rounds)}/{repeats} rounds, {left_s:.0f} s at most")
        return rounds

    def _take_round(self, measurement: AnyMeasurement) -> Round:
        readings = [self._read(measurement, work) for work in measurement.ways]
        if not measurement.accepts([answer for _, answer in readings]):
            raise BenchmarkError(
                "the answer is wrong, so its figures mean nothing. "
                "Repair the code or the check."
            )
        return [figures for figures, _ in readings]

    def _read(
        self, measurement: Measurement[Answer], work: Callable[[], Answer]
    ) -> tuple[list[float], Answer]:
        with _collector_paused(is_paused=not measurement.collects_garbage):
            started = self.clock()
            for _ in range(measurement.calls - 1):
                work()
            answer = work()
            seconds = (self.clock() - started) / measurement.calls
        meters = [measurement.meter, *(more.meter for more in measurement.further)]
        figures = [meter.figure(seconds, answer) for meter in meters]
        for figure in figures:
            if not isfinite(figure) or figure < 0:
                raise BenchmarkError(f"{figure} is not a figure. Repair the meter.")
        return figures, answer

    def _pinned(self, measurement: AnyMeasurement) -> AbstractContextManager[None]:
        core = measured_core() if measurement.single_core else None
        if measurement.single_core and core is None:
            self.say("  this system cannot pin to one core; all are used")
        return pinned_to(core)


@contextmanager
def _collector_paused(*, is_paused: bool) -> Iterator[None]:
    """Start from a clean heap, so that no side pays for the other's garbage."""
    gc.collect()
    was_enabled = gc.isenabled()
    if is_paused:
        gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
