"""CSEP consistency tests, which ask whether what happened looks like the forecast.

Arrays describe one forecast window and have the shape (n_cells,). Formulas as in
the Collaboratory for the Study of Earthquake Predictability (Schorlemmer et al.
2007; Zechar, Gerstenberger & Rhoades 2010), numbers of events by the negative
binomial (Werner et al. 2011).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import gammaln

from scoring.engine.arrays import Floats, Integers
from scoring.engine.skill import cumulative

N_SIMULATIONS: Final = 400
SIGNIFICANCE: Final = 0.05
SMALLEST_RATE: Final = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberTest:
    """Probabilities of at least and of at most the observed number of events.

    Attributes
    ----------
    at_least, at_most : float
        A small `at_least` means that the forecast was too low, a small `at_most`
        that it was too high.
    """

    at_least: float
    at_most: float

    @property
    def is_passed(self) -> bool:
        """Whether both tails exceed half of the significance."""
        return min(self.at_least, self.at_most) > SIGNIFICANCE / 2


def number_test(
    observed_events: float, expected_events: float, *, alpha: float
) -> NumberTest:
    """N-test of a region's total with NB2 dispersion; zero gives the Poisson test."""
    counts = np.array([observed_events, observed_events - 1.0])
    at_most, below = cumulative(
        counts, np.full(2, expected_events), np.full(2, float(alpha))
    )
    return NumberTest(at_least=float(1.0 - below), at_most=float(at_most))


def spatial_score(
    mean: Floats,
    observed: Floats,
    *,
    rng: np.random.Generator,
    alpha: Floats | None = None,
    ranks: Integers | None = None,
    n_simulations: int = N_SIMULATIONS,
) -> float:
    """S-test: share of simulated maps that are no likelier than the observed one.

    Both hold the observed number of events, and likelihoods are those of a Poisson
    map scaled to it. Below `SIGNIFICANCE` events fell where they were not expected.
    With one class of events the conditional likelihood test (CL) ranks the same maps
    in the same order and gives the same score.

    Parameters
    ----------
    mean, observed : ndarray of shape (n_cells,)
    rng : numpy.random.Generator
    alpha : ndarray of shape (n_cells,), optional
        Dispersion of the forecast: simulated maps cluster as it says. Without it
        they are Poisson, the classical test. Rates are drawn whatever their total,
        so that a right forecast passes a little more often than the level says.
    ranks : ndarray of shape (n_simulations, n_cells), int64, optional
        `scenarios.joint_ranks` of the cells: with them simulated maps cluster in
        space as the forecast says, without them cell by cell.
    n_simulations : int
        As many as there are ranks where these are given.

    Returns
    -------
    float
        In [0, 1]; one for a window without events.
    """
    n_events = int(observed.sum())
    if n_events == 0:
        return 1.0
    rates = np.maximum(mean, SMALLEST_RATE)
    log_share = np.log(rates / rates.sum())
    actual = float(map_score(observed, log_share))
    drawn = _draw_rates(rates, alpha, ranks, n_simulations, rng)
    simulated = np.array(
        [map_score(_draw_map(row, n_events, rng), log_share) for row in drawn]
    )
    # Equal maps differ by the rounding of their sums.
    tolerance = 1e-9 * max(abs(actual), 1.0)
    return float(np.mean(simulated <= actual + tolerance))


def map_score(counts: Floats, log_share: Floats) -> float:
    """Logarithm of the probability of a map of counts, up to the total's factor."""
    busy = counts > 0
    return float(counts[busy] @ log_share[busy] - gammaln(counts[busy] + 1.0).sum())


def _draw_rates(
    rates: Floats,
    alpha: Floats | None,
    ranks: Integers | None,
    n_simulations: int,
    rng: np.random.Generator,
) -> Floats:
    """Rates of every simulated map, shape (n_simulations, n_cells)."""
    shape = (n_simulations if ranks is None else ranks.shape[0], rates.size)
    if alpha is None:
        return np.broadcast_to(rates, shape)
    size = 1.0 / np.maximum(alpha, 1e-6)
    drawn = rng.gamma(size, rates / size, shape) + SMALLEST_RATE
    if ranks is None:
        return drawn
    # Margins stay as drawn, their order becomes that of the copula (Iman & Conover).
    return np.take_along_axis(np.sort(drawn, axis=0), ranks, axis=0)


def _draw_map(rates: Floats, n_events: int, rng: np.random.Generator) -> Floats:
    edges = np.cumsum(rates)
    places = np.searchsorted(edges, rng.random(n_events) * edges[-1], side="right")
    counts = np.bincount(places, minlength=rates.size)[: rates.size]
    return counts.astype(np.float64)
