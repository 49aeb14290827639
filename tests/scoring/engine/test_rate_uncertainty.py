import numpy as np
import pytest

from scoring.engine.arrays import Floats
from scoring.engine.calibration import PRIOR_EVENTS, level_variance
from scoring.engine.rate_uncertainty import MISFIT_ALONE, RateUncertainty
from scoring.engine.synthetic import RateCoverage, generate_truth, rate_coverage
from tests.scoring.engine.regions import make_grid

N_WINDOWS, N_CELLS = 120, 400


@pytest.fixture
def mean() -> Floats:
    rng = np.random.default_rng(3)
    return np.tile(rng.gamma(1.0, 0.3, N_CELLS) + 0.02, (N_WINDOWS, 1))


def test_more_events_behind_a_rate_make_it_better_known() -> None:
    mean = np.array([1e-4, 1e-3, 0.01, 0.1, 1.0])
    alpha = np.full(5, 0.5)
    short, long = (
        RateUncertainty(windows=windows).variance(mean, alpha, 0.0)
        for windows in (100.0, 1_000.0)
    )

    assert (np.diff(short) < 0).all()
    assert (long < short).all()
    # A quiet cell is known to a factor, not to nothing and not to next to nothing.
    assert short[0] == pytest.approx(1.0, abs=0.1)


def test_clustered_events_say_less() -> None:
    uncertainty = RateUncertainty(windows=100.0)
    mean = np.array([0.5])

    even, clustered = (
        uncertainty.variance(mean, np.array([alpha]), 0.0) for alpha in (0.0, 10.0)
    )

    assert clustered[0] > 2 * even[0]


def test_members_that_differ_know_less() -> None:
    variance = RateUncertainty(windows=1_000.0).variance(
        np.full(3, 0.1), np.full(3, 0.5), np.array([0.0, 0.01, 0.2])
    )

    assert (np.diff(variance) > 0).all()
    assert variance[2] - variance[0] >= 0.2


def test_a_level_rests_on_the_events_it_was_taken_from() -> None:
    few, many = (level_variance(n, prior_events=PRIOR_EVENTS) for n in (0.0, 950.0))
    clustered = level_variance(950.0, prior_events=10 * PRIOR_EVENTS)

    assert few == pytest.approx(1 / PRIOR_EVENTS)
    assert many == pytest.approx(1 / 1_000)
    assert many < clustered < few


@pytest.mark.parametrize("misfit", [0.02, 0.1, 0.4])
@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_finds_errors_that_last_apart_from_clustering(
    mean: Floats, misfit: float, alpha: float
) -> None:
    rng = np.random.default_rng(4)
    error = rng.gamma(1 / misfit, misfit, N_CELLS)
    observed = _drawn(rng, mean * error, alpha)
    seen = alpha + misfit + alpha * misfit

    found = RateUncertainty().fitted(mean, observed, np.full(mean.shape, seen))

    assert found.misfit == pytest.approx(misfit, rel=0.5)


@pytest.mark.parametrize("alpha", [0.0, 4.0])
def test_clustering_is_taken_for_no_misfit(mean: Floats, alpha: float) -> None:
    observed = _drawn(np.random.default_rng(5), mean, alpha)

    found = RateUncertainty().fitted(mean, observed, np.full(mean.shape, alpha))

    assert found.misfit < 0.02


def test_windows_without_events_leave_what_was_expected() -> None:
    nothing = np.zeros((8, 20))

    found = RateUncertainty().fitted(nothing + 1e-5, nothing, nothing + 1.0)

    assert found.misfit == pytest.approx(MISFIT_ALONE, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_intervals_hold_the_true_probability_as_often_as_they_say(
    alpha: float,
) -> None:
    records = [
        _coverage(radius=4, n_days=500, events_per_day=6.0, alpha=alpha, seed=seed)
        for seed in (21, 22, 23)
    ]

    inside = np.array([found.inside for found in records])
    assert inside.mean() == pytest.approx(0.9, abs=0.05)
    assert inside.mean(axis=0).min() > 0.8
    for found in records:
        np.testing.assert_allclose(found.inside + found.below + found.above, 1.0)


@pytest.mark.slow
def test_a_map_that_never_changes_learns_how_wrong_it_is() -> None:
    found = _coverage(
        radius=5, n_days=700, events_per_day=8.0, alpha=1.0, kind="time_independent"
    )

    assert found.inside.mean() == pytest.approx(0.9, abs=0.08)


@pytest.mark.long
@pytest.mark.parametrize(("seed", "alpha"), [(11, 0.0), (12, 2.0), (13, 0.0)])
def test_intervals_hold_in_every_band_of_the_rate(seed: int, alpha: float) -> None:
    found = _coverage(
        radius=8, n_days=1_000, events_per_day=15.0, alpha=alpha, seed=seed
    )

    assert found.inside.mean() == pytest.approx(0.9, abs=0.04)
    assert found.inside.min() > 0.8
    assert found.inside.max() < 0.97


def _coverage(
    *,
    radius: int,
    n_days: int,
    events_per_day: float,
    alpha: float,
    seed: int = 21,
    kind: str = "ensemble",
) -> RateCoverage:
    grid = make_grid(radius=radius)
    truth = generate_truth(
        grid, n_days=n_days, events_per_day=events_per_day, seed=seed, alpha=alpha
    )
    return rate_coverage(truth, grid, n_test_days=60, kind=kind)


def _drawn(rng: np.random.Generator, mean: Floats, alpha: float) -> Floats:
    rate = rng.gamma(1 / alpha, alpha * mean) if alpha else mean
    return rng.poisson(rate).astype(np.float64)
