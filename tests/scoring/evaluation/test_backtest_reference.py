"""The maps that the reference's target comes from stand beside the tuned one."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.frozen_sets import FrozenSet
from scoring.engine.report import gain_interval
from scoring.engine.skill import information_gain
from scoring.evaluation.backtests.running import (
    BacktestRequest,
    HorizonResult,
    Record,
    run_backtests,
)
from scoring.evaluation.skill.targets import reference_findings
from tests.scoring.engine.regions import TIMEZONE, make_grid, make_history

GRID = make_grid(radius=4)
HISTORY = make_history(GRID, n_days=300)
FROZEN = FrozenSet(
    name="san_jacinto",
    grid=GRID,
    history=HISTORY,
    timezone=TIMEZONE,
    split_s=float(HISTORY.occurred_s[-1]),
    digest="",
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> HorizonResult:
    request = BacktestRequest(
        kinds=("linear_poisson", "time_independent"),
        horizons_sec=(86_400,),
        n_origins=40,
    )
    [result] = run_backtests(
        Record(history=HISTORY, grid=GRID, timezone=TIMEZONE),
        request,
        root=tmp_path_factory.mktemp("tables"),
        resume=False,
        on_progress=lambda _: None,
    )
    return result


def test_the_gain_over_a_uniform_map_is_its_definition(result: HorizonResult) -> None:
    tested, fixed = result.tables
    expected_in_all = fixed.mean.sum(axis=1, keepdims=True)
    uniform = expected_in_all * (GRID.area_km2 / GRID.area_km2.sum())

    found = reference_findings(FROZEN, result)[1].found

    assert found.value == pytest.approx(
        information_gain(tested.mean, uniform, tested.observed)
    )
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_a_smoother_map_is_easier_to_beat_than_the_tuned_one(
    result: HorizonResult,
) -> None:
    tuned = gain_interval(*_pair(result)).value

    smooth, uniform = (each.found.value for each in reference_findings(FROZEN, result))

    assert tuned < smooth < uniform


def test_they_judge_nothing_and_stand_on_one_set_alone(result: HorizonResult) -> None:
    assert [each.is_met for each in reference_findings(FROZEN, result)] == [None, None]
    assert reference_findings(replace(FROZEN, name="chicago"), result) == ()
    other = replace(result, horizon_sec=3_600)
    assert reference_findings(FROZEN, other) == ()
    alone = replace(result, tables=result.tables[:1])
    assert reference_findings(FROZEN, alone) == ()


def test_events_of_the_test_block_do_not_reach_the_maps(
    result: HorizonResult,
) -> None:
    first_s = float(result.tables[0].origins_s[0])
    blind = replace(FROZEN, history=HISTORY.known_at(first_s - 86_400.0))

    assert reference_findings(blind, result) == reference_findings(FROZEN, result)
    assert np.any(HISTORY.occurred_s > first_s)


def _pair(result: HorizonResult) -> tuple[ForecastTable, ForecastTable]:
    tested, fixed = result.tables
    return tested, fixed
