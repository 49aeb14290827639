import numpy as np
import pytest

from scoring.engine.distributions import distribution_of
from scoring.engine.errors import EngineError
from scoring.engine.scenarios import (
    FactorCorrelation,
    correlation_of,
    factor_scenarios,
)
from tests.scoring.engine.regions import make_grid


@pytest.mark.parametrize("n_scenarios", [1, 7, 50, 400])
@pytest.mark.parametrize("alpha", [0.0, 0.4, 6.0])
def test_scenarios_average_to_the_probability(n_scenarios: int, alpha: float) -> None:
    grid = make_grid()
    cells = distribution_of(np.geomspace(1e-4, 5.0, len(grid)), alpha, 0.4)

    risk = factor_scenarios(
        cells, n_scenarios=n_scenarios, seed=4, correlation=correlation_of(grid)
    )

    assert risk.shape == (n_scenarios, len(grid))
    np.testing.assert_allclose(risk.mean(axis=0), cells.p_event, rtol=1e-9)
    assert risk.min() >= 0
    assert risk.max() <= 1


def test_scenarios_have_the_quantiles_of_the_forecast() -> None:
    cells = distribution_of([1e-3, 0.05, 0.8], [40.0, 0.5, 2.0], [0.9, 0.3, 0.1])

    risk = factor_scenarios(cells, n_scenarios=4_000, seed=1)

    found = np.quantile(risk, [0.05, 0.5, 0.95], axis=0)
    expected = np.stack([cells.q05, cells.q50, cells.q95])
    np.testing.assert_allclose(found, expected, rtol=5e-3, atol=1e-6)


def test_the_same_seed_gives_the_same_scenarios() -> None:
    cells = distribution_of(np.full(50, 0.1), 1.0, 0.2)

    first, again, other = (
        factor_scenarios(cells, n_scenarios=20, seed=seed) for seed in (9, 9, 10)
    )

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_neighbours_move_together_more_than_distant_cells() -> None:
    grid = make_grid(radius=6)
    cells = distribution_of(np.full(len(grid), 0.5), 1.0, 0.2)
    near = int(grid.rings[1].indices[0])
    far = int(np.argmax(np.hypot(grid.lat - grid.lat[0], grid.lon - grid.lon[0])))

    risk = factor_scenarios(
        cells, n_scenarios=2_000, seed=2, correlation=correlation_of(grid, shared=0.2)
    )

    correlation = np.atleast_2d(np.corrcoef(risk[:, [0, near, far]].T))
    assert correlation[0, 1] > correlation[0, 2] + 0.2
    assert correlation[0, 2] == pytest.approx(0.2, abs=0.08)


def test_without_anything_shared_cells_are_independent() -> None:
    cells = distribution_of(np.full(2, 0.5), 1.0, 0.2)

    risk = factor_scenarios(
        cells, n_scenarios=4_000, seed=3, correlation=FactorCorrelation(shared=0.0)
    )

    correlation = np.atleast_2d(np.corrcoef(risk.T))
    assert correlation[0, 1] == pytest.approx(0.0, abs=0.05)


def test_refuses_no_scenario_at_all() -> None:
    with pytest.raises(EngineError, match="at least one"):
        factor_scenarios(distribution_of([0.1], 1.0, 0.2), n_scenarios=0, seed=1)


def test_some_cells_are_drawn_as_all_of_them_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grid = make_grid(radius=6)
    cells = distribution_of(np.geomspace(0.01, 2.0, len(grid)), 0.8, 0.3)
    correlation = correlation_of(grid, shared=0.2)
    whole = factor_scenarios(cells, n_scenarios=30, seed=3, correlation=correlation)
    rows = np.array([len(grid) - 1, 4, 17])
    monkeypatch.setattr("scoring.engine.scenarios.VALUES_PER_BLOCK", 31)

    some = factor_scenarios(
        cells, n_scenarios=30, seed=3, correlation=correlation, rows=rows
    )

    assert np.array_equal(some, whole[:, rows])


def test_a_draw_ends_where_a_block_says_so() -> None:
    cells = distribution_of(np.full(50, 0.1), 1.0, 0.2)

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        factor_scenarios(cells, n_scenarios=20, seed=9, on_block=stop)
