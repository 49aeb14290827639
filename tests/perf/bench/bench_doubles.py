"""A clock that only moves when work says so, and measurements of such work."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import eq, truth
from typing import Any

from perf.bench.machine import Machine
from perf.bench.measurement import AnyMeasurement, Direction, Measurement
from perf.bench.registry import BuildMeasurements, Suite
from perf.bench.report import BenchmarkReport, Row
from perf.bench.run_limits import RunLimits
from perf.bench.runner import Runner, SuiteRun

MACHINE = Machine(
    cpu="Test CPU",
    cores=2,
    memory_gib=8.0,
    load_1m=0.5,
    python="3.11.7",
    platform="Linux 6",
    taken_at="2026-11-23T12:00:00+00:00",
)


@dataclass
class ManualClock:
    """Notes who worked, and what was said."""

    seconds: float = 0.0
    worked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __call__(self) -> float:
        return self.seconds

    def work(self, name: str, *taking_s: float, answer: Any = 42) -> Callable[[], Any]:
        """Make work that takes the next of these seconds, the last one for ever."""
        left_s = list(taking_s)

        def do() -> Any:
            self.worked.append(name)
            self.seconds += left_s.pop(0) if len(left_s) > 1 else left_s[0]
            return answer

        return do

    def run(
        self, *measurements: AnyMeasurement, limits: RunLimits | None = None
    ) -> SuiteRun:
        return self.run_built(lambda: measurements, limits=limits)

    def run_built(
        self, build: BuildMeasurements, *, limits: RunLimits | None = None
    ) -> SuiteRun:
        runner = Runner(limits=limits or RunLimits(), say=self.said.append, clock=self)
        return runner.run(Suite(name="tiny", build=build))


def make_comparison(clock: ManualClock, **stated: Any) -> Measurement[Any]:
    defaults: dict[str, Any] = {
        "name": "work",
        "before": clock.work("A", 2.0),
        "after": clock.work("B", 1.0),
        "check": eq,
        "target": 2.0,
    }
    return Measurement(**(defaults | stated))


def make_budget(clock: ManualClock, **stated: Any) -> Measurement[Any]:
    defaults: dict[str, Any] = {
        "name": "work",
        "after": clock.work("B", 1.0),
        "check": truth,
        "target": 1_000.0,
    }
    return Measurement(**(defaults | stated))


def make_row(*, name: str = "work", ratio: float | None = 2.0, **stated: Any) -> Row:
    defaults: dict[str, Any] = {
        "unit": "ms",
        "direction": Direction.LOWER,
        "before": 2.0,
        "after": 1.0,
        "target": 1.5,
        "met": True,
        "before_min": 1.9,
        "before_max": 2.1,
        "after_min": 0.9,
        "after_max": 1.1,
        "repeats": 3,
    }
    return Row(name=name, ratio=ratio, **(defaults | stated))


def make_report(*rows: Row, suite: str = "tiny") -> BenchmarkReport:
    return BenchmarkReport(machine=MACHINE, suites={suite: list(rows)})
