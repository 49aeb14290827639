"""How many windows of a back-test pass the consistency tests."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.consistency import SIGNIFICANCE, number_test, spatial_score
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.grid import Grid
from scoring.engine.scenarios import correlation_of, joint_ranks
from scoring.engine.uncertainty import Interval, share_interval

N_SIMULATIONS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """Share of windows that pass each CSEP test at 5 %; right is 0.95.

    Attributes
    ----------
    number : Interval
        N-test with the dispersion of the region's total.
    spatial, spatial_poisson : Interval
        S-test (and, with one class of events, CL-test) of the windows with events,
        maps simulated with the dispersion and the correlation of the forecast, and
        without.
    """

    number: Interval
    spatial: Interval
    spatial_poisson: Interval


def consistency_of(table: ForecastTable, grid: Grid, *, seed: int = 0) -> Consistency:
    """Pass shares of the N-test and both S-tests over the windows with events."""
    totals = table.mean.sum(axis=1)
    alphas = table.calibration.region_dispersion.alpha(totals)
    happened = table.observed.sum(axis=1)
    numbers = [
        number_test(count, total, alpha=alpha).is_passed
        for count, total, alpha in zip(happened, totals, alphas, strict=True)
    ]
    scores = _spatial_scores(table, grid, seed=seed)
    # Where no window has events, none has failed.
    passed = scores > SIGNIFICANCE if scores.size else np.ones((1, 2))
    spatial, poisson = passed.T.astype(np.float64)
    return Consistency(
        number=share_interval(np.array(numbers, dtype=np.float64)),
        spatial=share_interval(spatial),
        spatial_poisson=share_interval(poisson),
    )


def _spatial_scores(table: ForecastTable, grid: Grid, *, seed: int) -> Floats:
    """Dispersed and Poisson S-test of each window with events, (n_windows, 2)."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    spatial = table.calibration.spatial
    ranks = joint_ranks(
        len(grid),
        N_SIMULATIONS,
        seed=seed,
        correlation=correlation_of(
            grid, shared=spatial.shared, range_km=spatial.range_km
        ),
    )
    scores = [
        [
            spatial_score(
                table.mean[row],
                table.observed[row],
                rng=rng,
                alpha=alpha,
                ranks=ranks,
                n_simulations=N_SIMULATIONS,
            )
            for alpha in (table.alpha[row], None)
        ]
        for row in np.flatnonzero(table.observed.sum(axis=1))
    ]
    return np.array(scores).reshape(-1, 2)
