"""Targets are judged from the tables, with intervals that hold the figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring.engine.report import report_of
from scoring.evaluation.backtests.running import (
    BacktestProgress,
    BacktestRequest,
    HorizonResult,
    Record,
    run_backtests,
)
from scoring.evaluation.skill.targets import Finding, best_baseline, judge
from tests.scoring.engine.regions import TIMEZONE, make_grid, make_history

GRID = make_grid(radius=3)
KINDS = ("poisson_glm", "long_run_count", "time_independent", "linear_hawkes")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> HorizonResult:
    record = Record(
        history=make_history(GRID, n_days=300), grid=GRID, timezone=TIMEZONE
    )
    said: list[BacktestProgress] = []
    request = BacktestRequest(kinds=KINDS, horizons_sec=(86_400,), n_origins=40)
    [result] = run_backtests(
        record,
        request,
        root=tmp_path_factory.mktemp("tables"),
        resume=False,
        on_progress=said.append,
    )
    assert [each.done for each in said] == [0, 1, 2, 3]
    assert said[0].left_s is None
    assert all(each.left_s is not None for each in said[1:])
    return result


def by_figure(name: str, result: HorizonResult) -> dict[str, Finding]:
    return {each.figure: each for each in judge(name, result, GRID)}


def test_only_the_reference_set_has_a_gain_to_reach(result: HorizonResult) -> None:
    figure = "information gain over time independent, nats per event"
    assert by_figure("san_jacinto", result)[figure].target == "≥ 0.7"
    assert figure not in by_figure("chicago", result)


def test_the_best_baseline_is_the_one_with_most_hits(result: HorizonResult) -> None:
    best = best_baseline(result.report, "0.05")
    hits = [model.hit_rate["0.05"] for model in result.report.models[1:]]
    assert best.hit_rate["0.05"] == max(hits)
    finding = by_figure("chicago", result)[
        "hit rate at 5 % of area over the best baseline"
    ]
    tested = result.report.models[0].hit_rate["0.05"]
    assert finding.found.value == pytest.approx(tested / max(hits))


def test_every_figure_lies_in_its_interval(result: HorizonResult) -> None:
    for finding in judge("san_jacinto", result, GRID):
        if "quarter" not in finding.figure:
            found = finding.found
            assert found.low is not None
            assert found.high is not None
            assert found.low <= found.value <= found.high


def test_a_forecast_twice_too_high_fails_level_and_number(
    result: HorizonResult,
) -> None:
    doubled = replace(result.tables[0], mean=2 * result.tables[0].mean)
    tables = (doubled, *result.tables[1:])
    high = replace(result, tables=tables, report=report_of(tables, GRID))
    findings = by_figure("chicago", high)
    level = findings["forecast over observed (lowest to highest quarter)"]
    number = findings["pass share at 5 %: N-test, negative binomial"]
    hits = findings["hit rate at 5 % of area over the best baseline"]
    assert level.found.value == pytest.approx(2 * result.report.models[0].level_bias)
    assert (level.is_met, number.is_met, hits.is_met) == (False, False, True)


def test_dispersion_is_judged_only_where_events_cluster(
    result: HorizonResult,
) -> None:
    figure = "negative binomial over Poisson, nats per event"
    assert by_figure("chicago", result)[figure].is_met is None
    table = result.tables[0]
    scattered = replace(table, alpha=np.full(table.alpha.shape, 5.0))
    tables = (scattered, *result.tables[1:])
    clustered = replace(result, tables=tables, report=report_of(tables, GRID))
    assert by_figure("chicago", clustered)[figure].is_met is False


def test_tables_are_kept_for_a_run_that_is_interrupted(tmp_path: Path) -> None:
    record = Record(
        history=make_history(GRID, n_days=300), grid=GRID, timezone=TIMEZONE
    )
    request = BacktestRequest(
        kinds=("long_run_count", "kernel_density"), horizons_sec=(86_400,), n_origins=10
    )

    def stop(progress: BacktestProgress) -> None:
        if progress.kind == "kernel_density":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(
            run_backtests(record, request, root=tmp_path, resume=True, on_progress=stop)
        )
    [result] = run_backtests(
        record, request, root=tmp_path, resume=True, on_progress=lambda _: None
    )
    assert result.resumed == ("long_run_count",)
