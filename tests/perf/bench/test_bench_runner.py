"""How readings are taken and summarised."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from perf.bench.measurement import AnyMeasurement, Meter, elapsed, reported, throughput
from tests.perf.bench.bench_doubles import ManualClock, make_budget, make_comparison


def test_before_and_after_take_turns(clock: ManualClock) -> None:
    clock.run(make_comparison(clock, warmups=1, repeats=2))
    assert clock.worked == ["A", "B", "A", "B", "A", "B"]


def test_the_figures_are_medians_and_extremes_without_the_warm_up(
    clock: ManualClock,
) -> None:
    measurement = make_comparison(
        clock,
        before=clock.work("A", 99.0, 4.0, 16.0, 8.0),
        after=clock.work("B", 99.0, 3.0, 1.0, 2.0),
        meter=elapsed("s"),
        target=4.0,
        warmups=1,
        repeats=3,
        time_limit_s=1_000.0,
    )
    (row,) = clock.run(measurement).rows
    assert (row.before, row.before_min, row.before_max) == (8.0, 4.0, 16.0)
    assert (row.after, row.after_min, row.after_max) == (2.0, 1.0, 3.0)
    assert (row.ratio, row.met, row.repeats) == (4.0, True, 3)


def test_a_reading_of_many_calls_is_given_per_call(clock: ManualClock) -> None:
    measurement = make_budget(clock, calls=10, warmups=0, repeats=1)
    (row,) = clock.run(measurement).rows
    assert clock.worked == ["B"] * 10
    assert row.after == 1_000.0


@pytest.mark.parametrize(
    ("meter", "before", "after", "ratio"),
    [
        (elapsed("s"), 2.0, 0.5, 4.0),
        (elapsed("ms"), 2_000.0, 500.0, 4.0),
        (elapsed("µs"), 2e6, 5e5, 4.0),
        (throughput(10, noun="cells"), 5.0, 20.0, 4.0),
        (reported("MiB", float), 8.0, 8.0, 1.0),
    ],
)
def test_a_ratio_above_one_means_better_in_either_direction(
    clock: ManualClock, meter: Meter[Any], before: float, after: float, ratio: float
) -> None:
    measurement = make_comparison(
        clock,
        before=clock.work("A", 2.0, answer=8),
        after=clock.work("B", 0.5, answer=8),
        meter=meter,
        repeats=1,
    )
    (row,) = clock.run(measurement).rows
    assert (row.before, row.after, row.ratio) == (before, after, ratio)


@pytest.mark.parametrize(
    ("meter", "target", "met"),
    [
        (elapsed("ms"), 1_000.0, True),
        (elapsed("ms"), 999.0, False),
        (throughput(10, noun="cells"), 10.0, True),
        (throughput(10, noun="cells"), 11.0, False),
    ],
)
def test_a_budget_is_met_on_the_better_side_of_its_target(
    clock: ManualClock, meter: Meter[Any], target: float, met: bool
) -> None:
    measurement = make_budget(clock, meter=meter, target=target)
    (row,) = clock.run(measurement).rows
    assert (row.before, row.ratio, row.met) == (None, None, met)


def test_set_up_and_tear_down_surround_the_rounds_untimed(clock: ManualClock) -> None:
    @contextmanager
    def around() -> Iterator[None]:
        clock.work("start", 100.0)()
        yield
        clock.work("stop", 100.0)()

    measurement = make_budget(clock, around=around, warmups=1, repeats=1)
    (row,) = clock.run(measurement).rows
    assert clock.worked == ["start", "B", "B", "stop"]
    assert row.after == 1_000.0


def test_each_measurement_is_built_when_it_is_due(clock: ManualClock) -> None:
    def build() -> Iterator[AnyMeasurement]:
        for name in ("first", "second"):
            clock.work(f"build {name}", 1.0)()
            yield make_budget(clock, name=name, warmups=0, repeats=1)
            clock.work(f"remove {name}", 1.0)()

    clock.run_built(build)
    assert clock.worked == [
        *("build first", "B", "remove first"),
        *("build second", "B", "remove second"),
    ]
