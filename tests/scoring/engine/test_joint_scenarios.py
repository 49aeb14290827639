from functools import cache

import numpy as np
import pytest

from scoring.engine.branching import BranchingProcess, branching_process
from scoring.engine.errors import EngineError
from scoring.engine.fitting import fit_forecaster
from scoring.engine.forecasters import Forecaster
from scoring.engine.simulation import SCENARIOS_PER_BLOCK, ScenarioSet, simulate
from scoring.engine.snapshots import Snapshot, walk_snapshots
from scoring.engine.state import DAY_S
from tests.scoring.engine.regions import START_S, TIMEZONE, make_grid, make_history

GRID = make_grid(radius=4)
HISTORY = make_history(GRID, n_days=300)
UNTIL_S = START_S + 300 * DAY_S
N_SCENARIOS = 4_000


@cache
def _forecaster() -> Forecaster:
    return fit_forecaster(
        HISTORY,
        GRID,
        horizon_s=7 * DAY_S,
        timezone=TIMEZONE,
        until_s=UNTIL_S,
        kind="poisson_glm",
    )


@cache
def _snapshot() -> Snapshot:
    return next(walk_snapshots(HISTORY, GRID, [UNTIL_S], timezone=TIMEZONE))


@cache
def _scenarios() -> ScenarioSet:
    return _forecaster().scenarios(_snapshot(), n_scenarios=N_SCENARIOS, seed=11)


def test_mean_numbers_are_those_of_the_forecast() -> None:
    expected = _forecaster().mean_of(_snapshot())

    counts = _scenarios().counts().toarray()

    error = counts.std(axis=0) / np.sqrt(N_SCENARIOS)
    assert np.abs((counts.mean(axis=0) - expected) / error).max() < 4.5
    assert counts.sum() / N_SCENARIOS == pytest.approx(expected.sum(), rel=0.02)


def test_as_many_cells_have_an_event_as_the_forecast_says() -> None:
    forecast = _forecaster().distribution_at(_snapshot())

    busy = (_scenarios().counts().toarray() > 0).mean(axis=0)

    assert busy.sum() == pytest.approx(forecast.p_event.sum(), rel=0.02)
    assert np.corrcoef(busy, forecast.p_event)[0, 1] > 0.99


def test_the_total_scatters_as_the_calibration_says() -> None:
    mean = np.array([_forecaster().mean_of(_snapshot()).sum()])
    alpha = _forecaster().calibration.region_dispersion.alpha(mean)[0]

    totals = _scenarios().counts().toarray().sum(axis=1)

    found = (totals.var() - totals.mean()) / totals.mean() ** 2
    assert found >= 0.8 * alpha


def test_tilting_makes_every_expectation_the_target() -> None:
    process = _process()
    target = np.geomspace(0.01, 2.0, len(GRID))

    tilted = process.tilted_to(target)

    np.testing.assert_allclose(tilted.expected().sum(axis=0), target, rtol=1e-3)
    assert process.expected().shape == (7, len(GRID))


def test_the_same_seed_gives_the_same_scenarios_however_many() -> None:
    process = _process()

    few = simulate(process, n_scenarios=SCENARIOS_PER_BLOCK, seed=5)
    many = simulate(process, n_scenarios=3 * SCENARIOS_PER_BLOCK, seed=5)
    other = simulate(process, n_scenarios=SCENARIOS_PER_BLOCK, seed=6)

    first = many.scenario < SCENARIOS_PER_BLOCK
    for name in ("scenario", "step", "cell_index", "mark"):
        assert np.array_equal(getattr(few, name), getattr(many, name)[first])
    assert few.scenario.size != other.scenario.size


def test_immigrants_scatter_with_their_dispersion() -> None:
    process = _process().tilted_to(np.full(len(GRID), 0.5))
    alone = type(process)(
        immigrants=process.immigrants * process.tilt,
        reach=np.zeros_like(process.reach),
        spread=process.spread,
        tilt=np.ones(len(GRID)),
        mean_weight=1.0,
        step_s=DAY_S,
    )

    counts = simulate(
        alone, n_scenarios=N_SCENARIOS, seed=2, alpha=np.full(len(GRID), 1.5)
    ).counts()

    dense = counts.toarray()
    mean = dense.mean(axis=0)
    alpha = (dense.var(axis=0) - mean) / mean**2
    assert np.median(alpha) == pytest.approx(1.5, rel=0.15)


def test_marks_are_ranks() -> None:
    marks = _scenarios().mark

    assert marks.min() >= 0
    assert marks.max() < 1
    assert marks.mean() == pytest.approx(0.5, abs=0.01)


def test_refuses_what_it_cannot_simulate() -> None:
    model = _forecaster().scenario_model
    assert model is not None
    with pytest.raises(EngineError, match="whole number of its steps"):
        branching_process(
            model.hawkes, _snapshot(), horizon_s=1.5 * DAY_S, mean_weight=1.0
        )
    with pytest.raises(EngineError, match="at least one scenario"):
        simulate(_process(), n_scenarios=0, seed=1)


def _process() -> BranchingProcess:
    model = _forecaster().scenario_model
    assert model is not None
    return branching_process(
        model.hawkes, _snapshot(), horizon_s=7 * DAY_S, mean_weight=1.0
    )
