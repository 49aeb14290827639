"""What the plots show agrees with the engine's own tests and scores."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.engine.calibration import Calibration
from scoring.engine.consistency import number_test
from scoring.engine.dispersion import Dispersion
from scoring.engine.distributions import event_probability
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.skill import cumulative, hit_rate, reliability
from scoring.evaluation.backtests.plots import (
    CURVE_SHARES,
    accuracy_curve,
    number_series,
    region_transform,
    reliability_half_widths,
    smallest_count_above,
)
from tests.scoring.engine.regions import make_grid

GRID = make_grid(radius=2)
N_ORIGINS = 200


def make_table() -> ForecastTable:
    """Numbers drawn from the forecast itself."""
    rng = np.random.Generator(np.random.Philox(key=3))
    mean = np.tile(rng.gamma(0.5, size=len(GRID)), (N_ORIGINS, 1))
    calibration = Calibration(region_dispersion=Dispersion(intercept=-2.0))
    return ForecastTable(
        kind="long_run_count",
        horizon_s=86_400.0,
        origins_s=86_400.0 * np.arange(N_ORIGINS, dtype=np.float64),
        mean=mean,
        alpha=np.full(mean.shape, 1e-6),
        spread=np.zeros(mean.shape),
        observed=rng.poisson(mean).astype(np.float64),
        calibration=calibration,
    )


def test_the_band_passes_exactly_where_the_number_test_does() -> None:
    table = make_table()
    series = number_series(table)
    alphas = table.calibration.region_dispersion.alpha(series.expected)
    passed = [
        number_test(observed, expected, alpha=alpha).is_passed
        for observed, expected, alpha in zip(
            series.observed, series.expected, alphas, strict=True
        )
    ]
    assert series.is_passed.tolist() == passed


@pytest.mark.parametrize("level", [0.025, 0.5, 0.975])
@pytest.mark.parametrize("alpha", [0.0, 0.4, 20.0])
def test_the_smallest_count_is_the_first_above_the_level(
    level: float, alpha: float
) -> None:
    mean = np.array([0.001, 0.7, 30.0, 900.0])
    alphas = np.full(4, alpha)
    count = smallest_count_above(level, mean, alphas)
    assert np.all(cumulative(count, mean, alphas) > level)
    assert np.all(cumulative(count - 1.0, mean, alphas) <= level)


def test_the_curve_is_the_hit_rate_over_the_share_and_ends_at_chance() -> None:
    table = make_table()
    curve = accuracy_curve(table, GRID)
    tenth = CURVE_SHARES.index(0.10)
    hits = hit_rate(table.mean, table.observed, GRID.area_km2, share=0.10)
    assert curve[tenth] == pytest.approx(hits / 0.10)
    assert curve[-1] == pytest.approx(1.0)


def test_the_transform_of_totals_is_a_distribution() -> None:
    assert region_transform(make_table()).sum() == pytest.approx(1.0)


def test_bars_of_reliability_are_wider_where_cells_of_a_window_rise_together() -> None:
    table = make_table()
    forecast, _, share = reliability(
        event_probability(table.mean, table.alpha), table.observed
    )
    independent = 1.96 * np.sqrt(forecast * (1 - forecast) / (share * table.mean.size))
    level = np.random.default_rng(4).gamma(1.0, size=(N_ORIGINS, 1))
    together = replace(table, observed=np.floor(level * (table.mean + 0.5)))

    apart = reliability_half_widths(table)

    assert np.all(apart >= independent)
    assert np.mean(apart / independent) < 1.4
    assert np.mean(reliability_half_widths(together) / independent) > 2.0
