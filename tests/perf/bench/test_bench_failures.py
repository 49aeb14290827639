"""A benchmark that can be wrong: what fails, and what goes on all the same."""

from collections.abc import Iterator

import pytest

from perf.bench.errors import BenchmarkError
from perf.bench.measurement import AnyMeasurement, Meter, elapsed, reported
from riskplatform.kernel.errors import UnavailableError
from tests.perf.bench.bench_doubles import ManualClock, make_budget, make_comparison


def test_a_wrong_answer_has_no_row_and_the_next_measurement_runs(
    clock: ManualClock,
) -> None:
    wrong = make_comparison(clock, name="fast", after=clock.work("B", 0.1, answer=41))
    run = clock.run(wrong, make_comparison(clock, name="right"))
    assert [row.name for row in run.rows] == ["right"]
    (failure,) = run.failures
    assert failure == (
        "tiny: fast: the answer is wrong, so its figures mean nothing. "
        "Repair the code or the check."
    )


def test_answers_are_checked_in_every_round(clock: ManualClock) -> None:
    answers = iter([42, 42, 42, 41])
    wrong = make_comparison(clock, after=lambda: next(answers), repeats=15)
    run = clock.run(wrong)
    assert (len(run.rows), len(run.failures)) == (0, 1)


def test_a_check_that_says_nothing_counts_as_wrong(clock: ManualClock) -> None:
    run = clock.run(make_budget(clock, check=lambda _answer: None))
    assert (len(run.rows), len(run.failures)) == (0, 1)


def test_a_suite_without_measurements_fails(clock: ManualClock) -> None:
    assert clock.run().failures == [
        "tiny: The suite tiny has no measurement. Add one or remove it."
    ]


def test_two_measurements_of_one_name_fail(clock: ManualClock) -> None:
    run = clock.run(make_budget(clock), make_budget(clock))
    (failure,) = run.failures
    assert failure == (
        "tiny: The suite tiny measures 'work' twice. "
        "Give each measurement its own name."
    )


def test_a_suite_that_cannot_be_built_is_named_and_cleaned_up(
    clock: ManualClock,
) -> None:
    def build() -> Iterator[AnyMeasurement]:
        try:
            yield make_budget(clock, name="first")
            raise UnavailableError("ClickHouse does not answer. Start it.")
        finally:
            clock.worked.append("cleaned up")

    run = clock.run_built(build)
    assert [row.name for row in run.rows] == ["first"]
    assert run.failures == ["tiny: ClickHouse does not answer. Start it."]
    assert clock.worked[-1] == "cleaned up"


def test_a_time_of_zero_has_no_ratio(clock: ManualClock) -> None:
    run = clock.run(make_comparison(clock, after=clock.work("B", 0.0)))
    (failure,) = run.failures
    assert failure == (
        "tiny: work: a median of 0.0 has no ratio. "
        "Do more work in one call, or state a budget instead."
    )


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), -1.0])
def test_a_figure_that_is_none_is_refused(clock: ManualClock, figure: float) -> None:
    meter: Meter[object] = reported("MiB", lambda _answer: figure)
    run = clock.run(make_budget(clock, meter=meter))
    assert run.failures == [f"tiny: work: {figure} is not a figure. Repair the meter."]


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"name": " "}, "A measurement needs a name."),
        ({"calls": 0}, "work: use at least 1 call, 1 repeat and 0 warm-ups."),
        ({"repeats": 0}, "work: use at least 1 call, 1 repeat and 0 warm-ups."),
        ({"warmups": -1}, "work: use at least 1 call, 1 repeat and 0 warm-ups."),
        (
            {"time_limit_s": float("inf")},
            "work: the time limit must be a positive number of seconds.",
        ),
        ({"target": 0.0}, "work: the target ratio must be a positive number."),
    ],
)
def test_a_measurement_that_makes_no_sense_is_refused(
    clock: ManualClock, stated: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BenchmarkError) as refused:
        make_comparison(clock, **stated)
    assert refused.value.message == sentence


def test_a_target_value_must_be_finite(clock: ManualClock) -> None:
    with pytest.raises(BenchmarkError, match="must be a finite number"):
        make_budget(clock, target=float("nan"))


def test_an_unknown_unit_of_time_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="Use one of: s, ms, µs"):
        elapsed("minutes")
