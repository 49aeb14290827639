import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from scoring.engine.dispersion import fit_dispersion, log_mass
from scoring.engine.distributions import distribution_of
from scoring.engine.errors import EngineError

means = st.floats(1e-6, 20.0)
alphas = st.floats(1e-3, 20.0)


@given(means, alphas)
def test_probability_is_that_of_the_negative_binomial(
    mean: float, alpha: float
) -> None:
    cell = distribution_of([mean], alpha)

    nothing = stats.nbinom.pmf(0, 1 / alpha, 1 / (1 + alpha * mean))
    np.testing.assert_allclose(1 - cell.p_event[0], nothing, rtol=1e-9, atol=1e-14)


@given(means, alphas)
def test_quantiles_are_those_of_the_gamma_rate(mean: float, alpha: float) -> None:
    cell = distribution_of([mean], alpha)

    rate = stats.gamma(1 / alpha, scale=alpha * mean)
    expected = -np.expm1(-rate.ppf([0.05, 0.5, 0.95]))
    found = [cell.q05[0], cell.q50[0], cell.q95[0]]
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)
    assert found == sorted(found)


@pytest.mark.parametrize(("mean", "alpha"), [(0.01, 0.5), (0.3, 2.0), (4.0, 0.2)])
def test_mean_risk_is_the_probability_of_an_event(mean: float, alpha: float) -> None:
    rate = stats.gamma(1 / alpha, scale=alpha * mean)

    mean_risk, _ = integrate.quad(
        lambda q: -np.expm1(-rate.ppf(q)), 0, 1, epsabs=1e-10, limit=200
    )

    assert distribution_of([mean], alpha).p_event[0] == pytest.approx(
        mean_risk, abs=1e-7
    )


def test_no_dispersion_is_the_poisson_limit() -> None:
    poisson = distribution_of([0.2, 3.0], 0.0)
    nearly = distribution_of([0.2, 3.0], 1e-7)

    np.testing.assert_allclose(poisson.p_event, -np.expm1([-0.2, -3.0]), rtol=1e-12)
    assert poisson.q05.tolist() == poisson.q95.tolist() == poisson.p_event.tolist()
    np.testing.assert_allclose(nearly.p_event, poisson.p_event, rtol=1e-6)
    np.testing.assert_allclose(nearly.q95, poisson.q95, rtol=1e-2)


def test_refuses_means_that_are_not_numbers() -> None:
    with pytest.raises(EngineError, match="finite"):
        distribution_of([np.nan], 1.0)


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
