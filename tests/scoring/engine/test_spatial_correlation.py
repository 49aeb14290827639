import numpy as np
import pytest

from scoring.engine.arrays import Floats
from scoring.engine.calibrating import with_scatter
from scoring.engine.calibration import Calibration
from scoring.engine.correlation import matched_correlation
from scoring.engine.dependence import fit_spatial_correlation, normal_scores
from scoring.engine.dispersion import Dispersion
from scoring.engine.distributions import distribution_of
from scoring.engine.scenarios import (
    SpatialCorrelation,
    correlation_of,
    factor_scenarios,
    range_mixing,
)
from scoring.engine.smoothing import EARTH_RADIUS_KM, cell_spacing_km, unit_vectors
from tests.scoring.engine.rates import draw_rates
from tests.scoring.engine.regions import make_grid

GRID = make_grid(radius=9)
SPACING_KM = cell_spacing_km(GRID)
N_WINDOWS = 600


@pytest.mark.parametrize(
    ("shared", "range_cells", "alpha"),
    [(0.0, 3.0, 1.0), (0.2, 3.0, 1.0), (0.3, 1.5, 2.0), (0.1, 6.0, 0.5)],
)
def test_finds_the_correlation_that_numbers_were_drawn_with(
    shared: float, range_cells: float, alpha: float
) -> None:
    truth = SpatialCorrelation(shared=shared, range_km=range_cells * SPACING_KM)
    mean, observed = _drawn(truth, alpha=alpha)

    found = fit_spatial_correlation(
        GRID, Dispersion(intercept=float(np.log(alpha))), mean=mean, observed=observed
    )

    assert found.shared == pytest.approx(shared, abs=0.08)
    assert found.range_km == pytest.approx(truth.range_km, rel=0.4)


@pytest.mark.parametrize("alpha", [1.0, 1e-5])
def test_independent_cells_have_nothing_in_common(alpha: float) -> None:
    rng = np.random.default_rng(7)
    mean = np.tile(rng.gamma(0.8, 0.3, len(GRID)), (N_WINDOWS, 1))
    observed = rng.poisson(rng.gamma(1.0 / alpha, alpha * mean)).astype(np.float64)

    found = fit_spatial_correlation(
        GRID, Dispersion(intercept=float(np.log(alpha))), mean=mean, observed=observed
    )

    assert found.shared < 0.03
    assert found.range_km < SPACING_KM


def test_too_few_events_leave_the_default() -> None:
    nothing = np.zeros((20, len(GRID)))

    found = fit_spatial_correlation(
        GRID, Dispersion(), mean=nothing + 0.01, observed=nothing
    )

    assert found == SpatialCorrelation()


@pytest.mark.parametrize("range_cells", [1.0, 2.0, 5.0, 8.0])
def test_the_moving_average_has_the_exponential_correlation(range_cells: float) -> None:
    grid = make_grid(radius=12)
    range_km = range_cells * cell_spacing_km(grid)
    points = unit_vectors(grid)
    # The cell in the middle of the disk: an edge would cut its average.
    middle = int(np.argmax(points @ points.mean(axis=0)))
    cosine = np.clip(points @ points[middle], -1.0, 1.0)
    mixing = range_mixing(grid, range_km).toarray()

    found = mixing @ mixing[middle]

    expected = np.exp(-3.0 * EARTH_RADIUS_KM * np.arccos(cosine) / range_km)
    assert np.abs(found - expected).max() < 0.06
    assert found[middle] == pytest.approx(1.0)


def test_normal_scores_have_mean_zero_under_the_forecast() -> None:
    rng = np.random.default_rng(8)
    mean = np.full(200_000, 0.4)
    observed = rng.poisson(rng.gamma(0.5, 2.0 * mean)).astype(np.float64)

    scores = normal_scores(observed, mean, np.full(mean.shape, 2.0))

    assert scores.mean() == pytest.approx(0.0, abs=0.01)
    assert scores[observed == 0].max() < 0 < scores[observed > 0].min()


def test_a_calibration_holds_the_fit_and_scenarios_follow_it() -> None:
    truth = SpatialCorrelation(shared=0.2, range_km=3.0 * SPACING_KM)
    mean, observed = _drawn(truth, alpha=1.0)
    fitted = with_scatter(
        Calibration(), GRID, means=mean, observed=observed, n_held_out=400
    )
    forecast = fitted.distribution_of_calibrated(mean[0], 0.0)
    region_alpha = fitted.region_alpha(mean[0])

    correlation = matched_correlation(
        GRID, forecast, region_alpha=region_alpha, spatial=fitted.spatial
    )

    assert fitted.spatial.range_km == pytest.approx(truth.range_km, rel=0.4)
    assert correlation.shared == pytest.approx(truth.shared, abs=0.1)
    risk = factor_scenarios(
        forecast, n_scenarios=2_000, seed=3, correlation=correlation
    )
    np.testing.assert_allclose(risk.mean(axis=0), forecast.p_event, rtol=1e-9)
    total = draw_rates(
        forecast, n_scenarios=2_000, seed=3, correlation=correlation
    ).sum(axis=1)
    assert total.var() / total.mean() ** 2 == pytest.approx(region_alpha, rel=0.35)


def _drawn(truth: SpatialCorrelation, *, alpha: float) -> tuple[Floats, Floats]:
    """Means and numbers of windows, drawn from the copula of the scenarios."""
    rng = np.random.default_rng(6)
    mean = rng.gamma(0.8, 0.3, len(GRID))
    rate = draw_rates(
        distribution_of(mean, alpha, 0.0),
        n_scenarios=N_WINDOWS,
        seed=2,
        correlation=correlation_of(GRID, shared=truth.shared, range_km=truth.range_km),
    )
    return np.tile(mean, (N_WINDOWS, 1)), rng.poisson(rate).astype(np.float64)
