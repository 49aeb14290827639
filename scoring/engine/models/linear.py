"""Poisson regression with a linear mean: what is near and recent adds up."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.features import (
    SCALE_FEATURE,
    SMALLEST_RATE_SHARE,
    feature_names,
)
from scoring.engine.models.hawkes import maximise_weights
from scoring.engine.snapshots import Snapshot
from scoring.engine.training import TrainingWindow


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearPoisson:
    """The linear Hawkes process read from features: rates with weights, summed.

    Attributes
    ----------
    weights : ndarray of shape (3 + n_scales * n_rings,)
        Not negative: of the grid's mean, the shrunken and the raw long-run rate,
        then of the rate at each scale and ring.
    """

    kind: ClassVar[str] = "linear_poisson"
    recalibrates: ClassVar[bool] = True

    weights: Floats

    def predict(self, features: Floats) -> Floats:
        """Mean number of events per row, shape (n_rows,)."""
        return rate_parts(features) @ self.weights

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        return self.predict(snapshot.features)


def fit_linear_poisson(window: TrainingWindow) -> LinearPoisson:
    """Fit by expectation maximisation on the rows of a training window."""
    rows = window.rows
    parts = rate_parts(rows.features)
    busy = rows.observed > 0
    totals = rows.weight @ parts
    weights = maximise_weights(parts[busy], rows.observed[busy], totals)
    return LinearPoisson(weights=weights)


def rate_parts(features: Floats) -> Floats:
    """Rates in events per day, not negative, shape (n_rows, n_parts)."""
    names = feature_names()
    mean_rate = np.exp(features[:, [names.index(SCALE_FEATURE)]])
    floor = mean_rate * SMALLEST_RATE_SHARE
    shrunk = np.exp(features[:, [names.index("log_long_run_shrunk")]])
    over_floor = [
        place
        for place, name in enumerate(names)
        if name.startswith("log_rate_") or name == "log_long_run_raw"
    ]
    rates = np.maximum(np.exp(features[:, over_floor]) - floor, 0.0)
    return np.hstack([mean_rate, shrunk, rates])
