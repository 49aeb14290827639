import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import gammaincinv

from scoring.engine.dispersion import fit_dispersion, log_mass
from scoring.engine.distributions import (
    CellDistribution,
    distribution_of,
    event_probability,
    uncertain_hazard,
)
from scoring.engine.errors import EngineError

means = st.floats(1e-6, 20.0)
alphas = st.floats(1e-3, 20.0)
variances = st.floats(0.0, 2.0)
# Wider than anything a region has shown, the ends of what is computable included.
any_means = st.one_of(st.floats(0.0, 1e6), st.floats(1e-15, 1e-3))
any_dispersions = st.one_of(
    st.just(0.0), st.floats(0.0, 1e6), st.floats(1e-12, 1e-4), st.floats(0.01, 500.0)
)


@given(any_means, any_dispersions, any_dispersions)
@example(mean=7e-4, alpha=100.0, variance=100.0)
@example(mean=1e6, alpha=1e-3, variance=1e-3)
@example(mean=80.0, alpha=0.4, variance=0.4)
@example(mean=0.5, alpha=1e-8, variance=2.0)
def test_the_probability_lies_between_ordered_quantiles(
    mean: float, alpha: float, variance: float
) -> None:
    cell = distribution_of([mean], alpha, variance)

    assert 0 <= cell.q05[0] <= cell.q50[0] <= cell.q95[0] <= 1
    assert cell.q05[0] <= cell.p_event[0] <= cell.q95[0]


@given(any_means, any_dispersions, any_dispersions)
def test_quantiles_hold_the_probability_without_being_moved(
    mean: float, alpha: float, variance: float
) -> None:
    cell = distribution_of([mean], alpha, variance)
    low, high = (_exact_quantile(cell, level) for level in (0.05, 0.95))

    certain = 1e-11
    assert low <= cell.p_event[0] * (1 + 1e-7) or cell.p_event[0] > 1 - certain
    assert high >= cell.p_event[0] * (1 - 1e-7)


def test_the_intervals_of_quiet_cells_hold_their_probability() -> None:
    # With the whole dispersion of the numbers as the uncertainty of the rate, q95 of
    # each of these lay below its probability.
    quiet = distribution_of([3.4e-4, 7e-4, 2e-3], [168.0, 100.0, 80.0], [0.9, 0.8, 0.6])

    assert (quiet.q95 > 1.5 * quiet.p_event).all()
    assert (quiet.q05 < 0.7 * quiet.p_event).all()


@given(means, alphas)
def test_probability_is_that_of_the_negative_binomial(
    mean: float, alpha: float
) -> None:
    cell = distribution_of([mean], alpha, 0.1)

    nothing = stats.nbinom.pmf(0, 1 / alpha, 1 / (1 + alpha * mean))
    np.testing.assert_allclose(1 - cell.p_event[0], nothing, rtol=1e-9, atol=1e-14)


@given(means, alphas, variances)
def test_quantiles_are_those_of_a_gamma_hazard(
    mean: float, alpha: float, variance: float
) -> None:
    cell = distribution_of([mean], alpha, variance)

    expected = [_exact_quantile(cell, level) for level in (0.05, 0.5, 0.95)]
    found = [cell.q05[0], cell.q50[0], cell.q95[0]]
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(("mean", "alpha"), [(0.01, 0.5), (0.3, 2.0), (4.0, 0.2)])
@pytest.mark.parametrize("variance", [0.01, 0.2])
def test_mean_risk_is_the_probability_of_an_event(
    mean: float, alpha: float, variance: float
) -> None:
    cell = distribution_of([mean], alpha, variance)

    mean_risk, _ = integrate.quad(
        lambda q: _exact_quantile(cell, q), 0, 1, epsabs=1e-10, limit=200
    )

    assert cell.p_event[0] == pytest.approx(mean_risk, abs=1e-7)


@given(means, alphas, st.floats(0.001, 0.1))
def test_the_variance_is_that_of_the_mean_to_first_order(
    mean: float, alpha: float, variance: float
) -> None:
    cell = distribution_of([mean], alpha, variance)
    hazard = uncertain_hazard(cell.mean, cell.alpha, cell.rate_variance)

    step = 1e-5
    up, down = (
        -np.log1p(-event_probability(cell.mean * factor, cell.alpha))
        for factor in (1 + step, 1 - step)
    )
    elasticity = (np.log(up) - np.log(down)) / (2 * step)
    expected = cell.rate_variance * elasticity**2
    assume(cell.p_event[0] < 1 - 1e-6)
    np.testing.assert_allclose(hazard.variance, expected, rtol=1e-3)


def test_clustering_alone_moves_no_quantile_away_from_the_probability() -> None:
    cells = distribution_of([0.01, 0.5, 3.0], [1.0, 5.0, 50.0], 0.0)

    for quantile in (cells.q05, cells.q50, cells.q95):
        np.testing.assert_allclose(quantile, cells.p_event, rtol=1e-12)


def test_numbers_that_do_not_scatter_have_a_rate_that_is_known() -> None:
    poisson = distribution_of([0.2, 3.0], 0.0, 0.5)
    nearly = distribution_of([0.2, 3.0], 1e-7, 0.5)

    np.testing.assert_allclose(poisson.p_event, -np.expm1([-0.2, -3.0]), rtol=1e-12)
    assert poisson.q05.tolist() == poisson.q95.tolist() == poisson.p_event.tolist()
    np.testing.assert_allclose(nearly.p_event, poisson.p_event, rtol=1e-6)
    np.testing.assert_allclose(nearly.q95, poisson.q95, rtol=1e-2)


def test_refuses_means_that_are_not_numbers() -> None:
    with pytest.raises(EngineError, match="finite"):
        distribution_of([np.nan], 1.0, 0.1)


def test_log_mass_is_that_of_the_reference() -> None:
    counts = np.array([0.0, 1.0, 2.0, 7.0])
    mean, alpha = np.array([0.1, 0.5, 2.0, 3.0]), np.array([0.3, 1.0, 2.0, 5.0])

    expected = stats.nbinom.logpmf(counts, 1 / alpha, 1 / (1 + alpha * mean))

    np.testing.assert_allclose(log_mass(counts, mean, alpha), expected, rtol=1e-9)


def test_dispersion_is_found_again() -> None:
    rng = np.random.default_rng(5)
    mean = rng.uniform(0.2, 2.0, 40_000)
    observed = rng.poisson(rng.gamma(1 / 0.8, 0.8 * mean)).astype(np.float64)

    dispersion = fit_dispersion(mean, observed)

    np.testing.assert_allclose(dispersion.alpha(np.array([0.5, 1.5])), 0.8, rtol=0.1)


def _exact_quantile(cell: CellDistribution, level: float) -> float:
    hazard = uncertain_hazard(cell.mean, cell.alpha, cell.rate_variance)
    mean, variance = hazard.mean[0], hazard.variance[0]
    if variance == 0.0:
        return float(-np.expm1(-mean))
    scaled = gammaincinv(1 / variance, level) * variance * mean
    return float(-np.expm1(-scaled))
