"""A benchmark ends: after so many rounds, or after so much time."""

import pytest

from perf.bench.errors import BenchmarkError
from perf.bench.run_limits import RunLimits
from tests.perf.bench.bench_doubles import ManualClock, make_budget


def test_the_time_limit_ends_the_rounds_early(clock: ManualClock) -> None:
    measurement = make_budget(clock, warmups=1, repeats=100, time_limit_s=4.0)
    (row,) = clock.run(measurement).rows
    assert row.repeats == 3


def test_one_round_is_kept_however_slow_it_is(clock: ManualClock) -> None:
    measurement = make_budget(clock, warmups=1, repeats=100, time_limit_s=0.1)
    (row,) = clock.run(measurement).rows
    assert row.repeats == 1


@pytest.mark.parametrize(
    ("limits", "repeats"),
    [
        (RunLimits(), 7),
        (RunLimits(repeats=8), 8),
        (RunLimits(is_quick=True), 3),
        (RunLimits(repeats=2, is_quick=True), 2),
        (RunLimits(repeats=1_000), 30),
    ],
)
def test_the_caller_bounds_the_rounds(
    clock: ManualClock, limits: RunLimits, repeats: int
) -> None:
    measurement = make_budget(clock, warmups=0, repeats=7, time_limit_s=30.0)
    (row,) = clock.run(measurement, limits=limits).rows
    assert row.repeats == repeats


def test_a_quick_run_is_bounded_in_time_as_well(clock: ManualClock) -> None:
    measurement = make_budget(clock, after=clock.work("B", 4.0), warmups=0)
    (row,) = clock.run(measurement, limits=RunLimits(is_quick=True)).rows
    assert row.repeats == 2


def test_no_rounds_cannot_be_asked_for() -> None:
    with pytest.raises(BenchmarkError, match="Ask for at least 1"):
        RunLimits(repeats=0)


def test_progress_is_said_every_five_seconds_and_no_more(clock: ManualClock) -> None:
    measurement = make_budget(clock, warmups=0, repeats=12, time_limit_s=60.0)
    clock.run(measurement)
    assert clock.said == [
        "tiny: work (12 rounds or 60 s)",
        "  5/12 rounds, 55 s at most",
        "  10/12 rounds, 50 s at most",
    ]
