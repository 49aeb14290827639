"""Events with a known intensity: how much of what could be known is found."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from scoring.engine.arrays import Floats, product
from scoring.engine.backtesting import BacktestPlan, run_backtest
from scoring.engine.distributions import event_probability
from scoring.engine.events import EventHistory, build_history
from scoring.engine.features import YEAR_DAYS
from scoring.engine.fitting import fit_on_window
from scoring.engine.grid import Grid
from scoring.engine.skill import information_gain
from scoring.engine.snapshots import walk_snapshots
from scoring.engine.state import DAY_S
from scoring.engine.training import open_window

# Decay times of the truth, none of them on the ladder of the features.
TRUE_SCALES_DAYS: Final = (0.6, 18.0)
OFFSPRING: Final = (0.30, 0.25)
RING_SHARES: Final = (0.55, 0.30, 0.15, 0.0)
SEASON: Final = 0.4
N_BANDS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticTruth:
    """Events of a self-exciting process, with the mean they were drawn from.

    Attributes
    ----------
    history : EventHistory
    mean : ndarray of shape (n_days, n_cells)
        Expected number of events per day and cell, given all days before.
    alpha : float
        NB2 dispersion of the numbers given their mean.
    start_s : float
        Beginning of the first day, unix seconds.
    """

    history: EventHistory
    mean: Floats
    alpha: float
    start_s: float

    @property
    def probability(self) -> Floats:
        """P(N >= 1) per day and cell, given all days before, (n_days, n_cells)."""
        return event_probability(self.mean, np.full(self.mean.shape, self.alpha))


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleShare:
    """Information gain over the time-independent map, nats per event."""

    model: float
    oracle: float

    @property
    def share(self) -> float:
        """What the model reaches of the oracle's gain; higher is better."""
        return self.model / self.oracle


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RateCoverage:
    """How often 90 % intervals of the risk hold the true probability.

    Attributes
    ----------
    mean, inside, below, above : ndarray of shape (n_bands,)
        Bands of the forecast mean with equally many cell-windows: their mean, and
        the shares of them whose truth lies inside, below and above the interval.
    """

    mean: Floats
    inside: Floats
    below: Floats
    above: Floats


def generate_truth(
    grid: Grid,
    *,
    n_days: int,
    events_per_day: float,
    seed: int,
    alpha: float = 0.0,
    start_s: float = 0.0,
) -> SyntheticTruth:
    """Draw daily numbers from a seasonal background and its offspring.

    Offspring follows two exponential decays and falls on the rings around its
    parent; its expected number per event is the sum of `OFFSPRING`. The numbers are
    NB2 with dispersion `alpha` around their mean, Poisson with zero.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    background = rng.gamma(0.6, size=len(grid)) + 0.02
    immigrants = events_per_day * (1.0 - sum(OFFSPRING))
    background *= immigrants / background.sum()
    decay = np.exp(-1.0 / np.asarray(TRUE_SCALES_DAYS))
    # What an event adds to the next day, so that the sum over days is its offspring.
    strength = np.asarray(OFFSPRING) * (1.0 - decay) / decay
    memory = np.zeros((len(grid), len(TRUE_SCALES_DAYS)))
    mean = np.empty((n_days, len(grid)))
    counts = np.empty((n_days, len(grid)), dtype=np.int64)
    for day in range(n_days):
        season = 1.0 + SEASON * np.sin(2.0 * np.pi * day / YEAR_DAYS)
        mean[day] = background * season + _around(grid, memory @ strength)
        rate = rng.gamma(1.0 / alpha, alpha * mean[day]) if alpha else mean[day]
        counts[day] = rng.poisson(rate)
        memory = (memory + counts[day][:, None]) * decay
    day_index, cell_index = np.nonzero(counts)
    repeats = counts[day_index, cell_index]
    day_index, cell_index = (
        np.repeat(day_index, repeats),
        np.repeat(cell_index, repeats),
    )
    occurred_s = start_s + (day_index + rng.random(day_index.size)) * DAY_S
    return SyntheticTruth(
        history=build_history(grid, grid.cells[cell_index], occurred_s),
        mean=mean,
        alpha=alpha,
        start_s=start_s,
    )


def share_of_oracle(
    truth: SyntheticTruth, grid: Grid, *, n_test_days: int, kind: str = "ensemble"
) -> OracleShare:
    """Gain of a model and of the truth itself on the last days of a record."""
    first_day = truth.mean.shape[0] - n_test_days
    plan = BacktestPlan(
        horizon_s=DAY_S,
        n_origins=n_test_days,
        timezone="UTC",
        kind=kind,
        baselines=("time_independent",),
        end_s=truth.start_s + truth.mean.shape[0] * DAY_S,
    )
    tested, reference = run_backtest(truth.history, grid, plan=plan)
    return OracleShare(
        model=information_gain(tested.mean, reference.mean, tested.observed),
        oracle=information_gain(
            truth.mean[first_day:], reference.mean, tested.observed
        ),
    )


def rate_coverage(
    truth: SyntheticTruth, grid: Grid, *, n_test_days: int, kind: str = "ensemble"
) -> RateCoverage:
    """Hold the served intervals of the last days of a record against the truth."""
    first_day = truth.mean.shape[0] - n_test_days
    days_s = truth.start_s + DAY_S * np.arange(first_day, truth.mean.shape[0])
    window = open_window(
        truth.history,
        grid,
        horizon_s=DAY_S,
        timezone="UTC",
        until_s=float(days_s[0]),
    )
    forecaster = fit_on_window(window, kind)
    risks = [
        forecaster.distribution_at(snapshot)
        for snapshot in walk_snapshots(truth.history, grid, days_s, timezone="UTC")
    ]
    mean = np.concatenate([risk.mean for risk in risks])
    probability = truth.probability[first_day:].ravel()
    below = probability < np.concatenate([risk.q05 for risk in risks])
    above = probability > np.concatenate([risk.q95 for risk in risks])
    bands = np.array_split(np.argsort(mean, kind="stable"), N_BANDS)
    columns = np.array([mean, ~(below | above), below, above])
    by_band = np.array([columns[:, band].mean(axis=1) for band in bands])
    band_mean, inside, low, high = by_band.T
    return RateCoverage(mean=band_mean, inside=inside, below=low, above=high)


def _around(grid: Grid, offspring: Floats) -> Floats:
    """Offspring of each cell spread over its rings, nothing lost inside the grid."""
    spread = np.zeros_like(offspring)
    for share, ring in zip(RING_SHARES, grid.rings, strict=True):
        spread += share * product(ring, offspring)
    return spread
