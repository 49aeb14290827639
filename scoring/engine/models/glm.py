"""Poisson regression with a log link on standardised features."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.features import HARMONIC, feature_names
from scoring.engine.snapshots import Snapshot
from scoring.engine.training import TrainingRows, TrainingWindow

RIDGE: Final = 3e-3
# Columns that all cells share at an instant: as many cases as origins, not as rows.
REGION_WIDE_RIDGE: Final = 1e-1
ENOUGH_ORIGINS: Final = 200
# Penalties in all, not per event, below which a short record would overfit.
SMALLEST_TOTAL: Final = 20.0
FROZEN: Final = 1e6
MOST_STEPS: Final = 30
TOLERANCE: Final = 1e-9
# A forecast beyond exp(12) events is a fault of the input, not a forecast.
LINEAR_BOUND: Final = 12.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoissonGlm:
    """Coefficients of a ridge-penalised Poisson regression.

    Attributes
    ----------
    centre, scale, low, high, coefficients : ndarray of shape (n_features,)
        Features are held to the range seen in training, then standardised.
    intercept : float
    """

    kind: ClassVar[str] = "poisson_glm"
    recalibrates: ClassVar[bool] = True

    centre: Floats
    scale: Floats
    low: Floats
    high: Floats
    coefficients: Floats
    intercept: float

    def predict(self, features: Floats) -> Floats:
        """Mean number of events per row, shape (n_rows,)."""
        held = np.clip(features, self.low, self.high)
        linear = (held - self.centre) / self.scale @ self.coefficients
        return np.exp(np.minimum(linear + self.intercept, LINEAR_BOUND))

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        return self.predict(snapshot.features)


def fit_glm(window: TrainingWindow) -> PoissonGlm:
    """Fit on the rows of a training window."""
    return fit_glm_rows(window.rows, ridge=_ridges(window))


def fit_glm_rows(rows: TrainingRows, *, ridge: Floats) -> PoissonGlm:
    """Minimise the mean Poisson deviance plus sum(ridge / 2 * coefficients ** 2).

    Newton steps with halving (iteratively reweighted least squares, McCullagh &
    Nelder 1989, ch. 2); the penalty is per event, so that it does not depend on how
    many quiet rows there are.

    Parameters
    ----------
    rows : TrainingRows
    ridge : ndarray of shape (n_features,)
    """
    low, high = rows.features.min(axis=0), rows.features.max(axis=0)
    total = rows.weight.sum()
    centre = rows.weight @ rows.features / total
    variance = rows.weight @ np.square(rows.features - centre) / total
    scale = np.where(variance > 1e-12, np.sqrt(np.maximum(variance, 1e-12)), 1.0)
    # The first column carries the intercept, which is not penalised.
    design = np.empty((rows.observed.size, centre.size + 1))
    design[:, 0] = 1.0
    design[:, 1:] = (rows.features - centre) / scale
    solution = _newton(design, rows.observed, rows.weight, ridge)
    return PoissonGlm(
        centre=centre,
        scale=scale,
        low=low,
        high=high,
        coefficients=solution[1:],
        intercept=float(solution[0]),
    )


def _ridges(window: TrainingWindow) -> Floats:
    """Penalty of each feature on a training window."""
    region_wide = [
        name == "log_level" or HARMONIC.match(name) is not None
        for name in feature_names()
    ]
    few_origins = max(1.0, ENOUGH_ORIGINS / window.origins_s.size)
    ridges = np.where(region_wide, REGION_WIDE_RIDGE * few_origins, RIDGE)
    ridges *= max(1.0, SMALLEST_TOTAL / RIDGE / len(window.history))
    return np.where(window.usable_columns, ridges, FROZEN)


def _newton(design: Floats, observed: Floats, weight: Floats, ridge: Floats) -> Floats:
    events = max(float(weight @ observed), 1.0)
    penalty = np.append(0.0, ridge)
    solution = np.zeros(design.shape[1])
    solution[0] = np.log(events / weight.sum())

    def loss(candidate: Floats) -> float:
        linear = np.minimum(design @ candidate, LINEAR_BOUND)
        deviance = weight @ (np.exp(linear) - observed * linear)
        return float(deviance / events + 0.5 * (penalty * candidate) @ candidate)

    value = loss(solution)
    for _ in range(MOST_STEPS):
        mean = weight * np.exp(np.minimum(design @ solution, LINEAR_BOUND))
        gradient = design.T @ (mean - weight * observed) / events + penalty * solution
        curvature = design.T @ (design * mean[:, None]) / events
        curvature[np.diag_indices_from(curvature)] += penalty + 1e-10
        step = np.linalg.solve(curvature, gradient)
        size, improved = 1.0, loss(solution - step)
        while improved > value and size > 1e-6:
            size /= 2.0
            improved = loss(solution - size * step)
        if improved > value:
            break
        solution = solution - size * step
        gain, value = value - improved, improved
        if gain < TOLERANCE:
            break
    return solution
