"""Several figures of one reading: a row each, without asking again."""

import pytest

from perf.bench.errors import BenchmarkError
from perf.bench.measurement import Direction, FurtherFigure, reported
from perf.bench.registry import Suite
from perf.bench.run_limits import RunLimits, is_quick_run
from tests.perf.bench.bench_doubles import ManualClock, make_budget, make_comparison

SLOWEST = FurtherFigure(
    name="slowest",
    meter=reported("ms", direction=Direction.LOWER, figure=float),
    target=3.0,
)


def test_a_further_figure_is_a_row_of_the_same_calls(clock: ManualClock) -> None:
    measurement = make_comparison(
        clock,
        before=clock.work("A", 2.0, answer=80.0),
        after=clock.work("B", 1.0, answer=20.0),
        check=lambda before, after: before == 4 * after,
        further=(SLOWEST,),
        warmups=0,
        repeats=2,
    )
    work, slowest = clock.run(measurement).rows
    assert clock.worked == ["A", "B", "A", "B"]
    assert (work.name, work.unit, work.ratio, work.target) == ("work", "ms", 2.0, 2.0)
    assert (slowest.name, slowest.before, slowest.after) == ("slowest", 80.0, 20.0)
    assert (slowest.ratio, slowest.target, slowest.met) == (4.0, 3.0, True)


def test_a_budget_has_further_figures_too(clock: ManualClock) -> None:
    work, slowest = clock.run(make_budget(clock, further=(SLOWEST,))).rows
    assert (work.after, slowest.after) == (1_000.0, 42.0)
    assert (slowest.target, slowest.met) == (3.0, False)


def test_a_further_figure_needs_a_name_of_its_own(clock: ManualClock) -> None:
    twin = make_budget(clock, name="slowest", further=(SLOWEST,))
    suite = Suite(name="tiny", build=lambda: [twin])
    with pytest.raises(BenchmarkError, match="'slowest' twice"):
        list(suite.measurements())


@pytest.mark.parametrize("is_quick", [True, False])
def test_a_suite_is_told_whether_the_run_is_quick(
    clock: ManualClock, is_quick: bool
) -> None:
    seen: list[bool] = []
    measurement = make_budget(
        clock, after=lambda: seen.append(is_quick_run()), check=lambda _: True
    )
    clock.run(measurement, limits=RunLimits(repeats=1, is_quick=is_quick))
    assert set(seen) == {is_quick}
    assert not is_quick_run()
