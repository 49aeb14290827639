"""The consistency tests agree with the Collaboratory's own code on one forecast.

Installed with the extra `csep` only: it brings a stack of geographic libraries.
"""

import numpy as np
import pytest

from scoring.engine.arrays import Floats
from scoring.engine.consistency import number_test, spatial_score
from scoring.engine.skill import information_gain

REASON = "pycsep is not installed; pip install 'riskplatform[csep]' to compare"
N_CELLS = 150
N_SIMULATIONS = 4_000

poisson = pytest.importorskip("csep.core.poisson_evaluations", reason=REASON)
binomial = pytest.importorskip("csep.core.binomial_evaluations", reason=REASON)


@pytest.mark.parametrize("observed_events", [0.0, 3.0, 11.0, 40.0])
def test_poisson_number_test(observed_events: float) -> None:
    ours = number_test(observed_events, 11.5, alpha=0.0)

    theirs = poisson._number_test_ndarray(11.5, observed_events)

    assert (ours.at_least, ours.at_most) == pytest.approx(theirs, abs=1e-7)


@pytest.mark.parametrize("observed_events", [1.0, 3.0, 11.0, 40.0])
@pytest.mark.parametrize("alpha", [0.05, 0.7, 4.0])
def test_negative_binomial_number_test(observed_events: float, alpha: float) -> None:
    ours = number_test(observed_events, 11.5, alpha=alpha)

    variance = 11.5 + alpha * 11.5**2
    theirs = binomial._nbd_number_test_ndarray(11.5, observed_events, variance)

    assert (ours.at_least, ours.at_most) == pytest.approx(theirs, abs=1e-7)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("is_scaled", [True, False])
def test_spatial_and_conditional_likelihood_tests(seed: int, is_scaled: bool) -> None:
    mean, _, observed = _window(seed)

    ours = spatial_score(
        mean, observed, rng=np.random.default_rng(seed), n_simulations=N_SIMULATIONS
    )

    # Scaled to the observed number it is their S-test, as it stands their CL-test.
    theirs, _, _ = poisson._poisson_likelihood_test(
        mean,
        observed,
        num_simulations=N_SIMULATIONS,
        seed=seed,
        use_observed_counts=True,
        normalize_likelihood=is_scaled,
    )
    assert ours == pytest.approx(theirs, abs=0.04)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_information_gain_is_that_of_the_paired_t_test(seed: int) -> None:
    mean, reference, observed = _window(seed)
    busy = np.repeat(np.arange(N_CELLS), observed.astype(np.int64))

    theirs = poisson._t_test_ndarray(
        mean[busy], reference[busy], busy.size, mean.sum(), reference.sum()
    )

    ours = information_gain(mean, reference, observed)
    assert ours == pytest.approx(theirs["information_gain"], abs=1e-12)


def _window(seed: int) -> tuple[Floats, Floats, Floats]:
    """A forecast, another one, and numbers between what the two say."""
    rng = np.random.default_rng(seed)
    mean, reference = rng.gamma(0.6, 0.2, N_CELLS), rng.gamma(0.6, 0.2, N_CELLS)
    observed = rng.poisson(0.5 * (mean + reference)).astype(np.float64)
    return mean, reference, observed
