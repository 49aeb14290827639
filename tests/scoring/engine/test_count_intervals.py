import numpy as np
import pytest

from scoring.engine.arrays import Floats
from scoring.engine.calibrating import with_scatter
from scoring.engine.calibration import Calibration
from scoring.engine.distributions import event_probability
from scoring.engine.intervals import (
    LEVELS,
    IntervalShift,
    coverage_scale,
    fit_shift,
    helpful_shift,
)
from scoring.engine.skill import cumulative, interval_coverage
from tests.scoring.engine.regions import make_grid

GRID = make_grid(radius=3)


def test_a_shift_brings_intervals_to_their_level_on_later_windows() -> None:
    mean, observed = _totals(n_windows=2_000, alpha=0.5)
    said = np.full(mean.shape, 0.1)
    first, later = slice(1_000), slice(1_000, None)

    shift = helpful_shift(mean[first], said[first], observed[first])

    raw, shifted = (
        interval_coverage(observed[later], mean[later], said[later], shift=apply)
        for apply in (None, shift.apply)
    )
    assert raw < 0.7
    assert shifted == pytest.approx(0.9, abs=0.02)


def test_nothing_is_shifted_where_intervals_hold_already() -> None:
    mean, observed = _totals(n_windows=2_000, alpha=0.5)

    assert helpful_shift(mean, np.full(mean.shape, 0.5), observed) == IntervalShift()


def test_a_handful_of_windows_shifts_nothing() -> None:
    mean, observed = _totals(n_windows=30, alpha=0.5)
    said = np.full(mean.shape, 0.01)

    assert helpful_shift(mean, said, observed) == IntervalShift()
    assert coverage_scale(mean, said, observed) == 1.0


def test_a_shift_keeps_order_and_both_ends() -> None:
    mean, observed = _totals(n_windows=1_200, alpha=0.5)
    shift = fit_shift(mean, np.full(mean.shape, 0.05), observed)
    below = np.linspace(0.0, 1.0, 300)

    for rate in (1.0, 20.0, 500.0):
        shifted = shift.apply(below, np.full(below.shape, rate))
        assert (np.diff(shifted) >= 0).all()
        assert (shifted[0], shifted[-1]) == (0.0, 1.0)


def test_bands_of_rates_shift_on_their_own() -> None:
    rng = np.random.default_rng(5)
    mean = np.repeat([0.05, 8.0], 3_000)
    alpha = np.where(mean > 1, 2.0, 0.2)
    observed = _drawn(rng, mean, alpha)
    said = np.full(mean.shape, 0.2)

    shift = fit_shift(mean, said, observed)

    for rate in (0.05, 8.0):
        kept = mean == rate
        found = interval_coverage(
            observed[kept], mean[kept], said[kept], shift=shift.apply
        )
        assert found == pytest.approx(0.9, abs=0.01)


def test_zeros_alone_have_the_level_that_their_probability_says() -> None:
    mean = np.full(400, 0.02)
    shift = fit_shift(mean, np.full(400, 1.0), np.zeros(400))
    below = cumulative(np.zeros(1), mean[:1], np.ones(1))

    # 400 windows that never saw more, weighed against twenty of the identity.
    expected = (400.0 + 20.0 * below[0]) / 420.0
    assert shift.apply(below, mean[:1])[0] == pytest.approx(expected, abs=0.002)


def test_one_extreme_window_does_not_widen_the_totals_for_good() -> None:
    mean, observed = _totals(n_windows=600, alpha=0.2)
    observed[100] = 4_000.0
    calibration = with_scatter(
        Calibration(),
        GRID,
        means=_spread(mean),
        observed=_spread(observed).round(),
        n_held_out=200,
    )
    total = _spread(mean).sum(axis=1)
    happened = _spread(observed).round().sum(axis=1)

    found = interval_coverage(
        happened,
        total,
        calibration.region_dispersion.alpha(total),
        shift=calibration.region_shift.apply,
    )

    assert found == pytest.approx(0.9, abs=0.015)


def test_shifts_leave_the_risk_of_cells_alone() -> None:
    shift = IntervalShift(levels=tuple((LEVELS**2).tolist()))
    shifted = Calibration(cell_shift=shift, block_shift=shift, region_shift=shift)
    mean = np.geomspace(1e-4, 5.0, 50)

    risk = shifted.distribution_of_calibrated(mean, 0.0)

    plain = Calibration().distribution_of_calibrated(mean, 0.0)
    np.testing.assert_array_equal(risk.q95, plain.q95)
    np.testing.assert_array_equal(risk.p_event, event_probability(mean, plain.alpha))


def _totals(*, n_windows: int, alpha: float) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(4)
    mean = rng.uniform(20.0, 60.0, n_windows)
    return mean, _drawn(rng, mean, np.full(n_windows, alpha))


def _drawn(rng: np.random.Generator, mean: Floats, alpha: Floats) -> Floats:
    return rng.poisson(rng.gamma(1.0 / alpha, alpha * mean)).astype(np.float64)


def _spread(totals: Floats) -> Floats:
    return np.outer(totals, np.full(len(GRID), 1.0 / len(GRID)))
