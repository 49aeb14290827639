import numpy as np
import pytest

from scoring.engine.arrays import Floats
from scoring.engine.calibration import (
    n_trailing,
    prior_events_of,
    trailing_level,
    trailing_levels,
)
from scoring.engine.dispersion import Dispersion
from scoring.engine.recalibration import (
    MeanCorrection,
    fit_correction,
    helpful_correction,
)
from scoring.engine.state import DAY_S

SCATTER = Dispersion(intercept=np.log(0.5))


def test_a_compressed_forecast_is_stretched_again() -> None:
    mean, truth, observed = _drawn(exponent=0.6)

    correction = helpful_correction(mean, observed, SCATTER)

    corrected = correction.apply(mean)
    busy = truth > 0.05
    error = np.abs(np.log(corrected / truth))[busy].mean()
    assert error < 0.4 * np.abs(np.log(mean / truth))[busy].mean()


def test_a_calibrated_forecast_is_left_alone() -> None:
    mean, _, observed = _drawn(exponent=1.0)

    assert helpful_correction(mean, observed, SCATTER) == MeanCorrection()


def test_the_correction_keeps_the_order() -> None:
    mean, _, observed = _drawn(exponent=0.6)
    ordered = np.geomspace(1e-6, 10.0, 400)

    corrected = fit_correction(mean, observed, SCATTER).apply(ordered)

    assert (np.diff(corrected) > -1e-12).all()


def test_too_few_events_correct_nothing() -> None:
    assert (
        helpful_correction(np.full((4, 3), 0.1), np.zeros((4, 3)), SCATTER)
        == MeanCorrection()
    )


def test_the_level_is_drawn_to_one() -> None:
    assert trailing_level(100.0, 200.0, prior_events=50.0) == pytest.approx(250 / 150)
    assert trailing_level(0.0, 0.0) == 1.0


def test_levels_look_at_the_windows_before_only() -> None:
    forecast = np.array([10.0, 10.0, 10.0, 10.0])
    observed = np.array([10.0, 20.0, 30.0, 999.0])

    levels = trailing_levels(forecast, observed, n_windows=2, prior_events=10.0)

    assert levels == pytest.approx([40 / 30, 60 / 30])


def test_clustered_totals_make_the_level_slow() -> None:
    rng = np.random.default_rng(1)
    expected = np.full(400, 20.0)
    steady = rng.poisson(expected).astype(np.float64)
    clustered = rng.poisson(rng.gamma(0.25, 4.0 * expected)).astype(np.float64)

    assert prior_events_of(expected, steady) == pytest.approx(50.0, rel=0.2)
    assert prior_events_of(expected, clustered) > 1_000


def test_a_level_looks_back_over_thirteen_windows_and_thirty_nine_days() -> None:
    assert [n_trailing(days * DAY_S) for days in (0.25, 1.0, 7.0)] == [156, 39, 13]


def _drawn(*, exponent: float) -> tuple[Floats, Floats, Floats]:
    """Forecast, true mean and numbers of 100 windows and 500 cells."""
    rng = np.random.default_rng(3)
    truth = rng.lognormal(-2.5, 1.2, (100, 500))
    observed = rng.poisson(rng.gamma(2.0, 0.5 * truth)).astype(np.float64)
    mean = truth**exponent
    return mean * truth.sum() / mean.sum(), truth, observed
