"""How well the rate of a cell is known, apart from how its events cluster."""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.dispersion import log_mass

# These three were chosen on synthetic truth, together with the misfits expected
# below; other made-up records have judged them since (docs/models.md).
PRIOR_EVENTS: Final = 1.0
EVENTS_PER_SEEN: Final = 2.0 / 3.0
SPREAD_WEIGHT: Final = 1.75
# Of a model of which the spread of its members says part, and of one without any.
MISFIT_OF_POOLED: Final = 0.01
MISFIT_ALONE: Final = 0.05
MISFITS: Final = np.geomspace(1e-3, 1.0, 49)
LOG_MISFIT_SD: Final = 1.0
N_PARTS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class RateUncertainty:
    """Variance of the rate of a cell over its squared mean, from what it comes of.

    Attributes
    ----------
    windows : float
        Windows of the horizon in the record that the rates come from.
    level : float
        Variance of the level that all cells share.
    misfit : float
        Variance of what neither the number of events nor the spread of the members
        tells: expected before `fitted`, found after.
    """

    windows: float = 0.0
    level: float = 0.0
    misfit: float = MISFIT_ALONE

    def variance(self, mean: Floats, alpha: Floats, spread: Floats | float) -> Floats:
        """Relative variance of the rate of each cell, shape of `mean`.

        A rate that rests on k events has the relative variance 1 / (k + prior), that
        of its gamma posterior (Clayton & Kaldor 1987). Behind a smoothed rate are as
        many events as it expects over the record, here fewer because rates move, and
        because clustered events say less by the factor by which they scatter more
        (McCullagh & Nelder 1989, sec. 6.2). Members that differ err (Krogh & Vedelsby
        1995); what they have in common is in the weight of their spread.

        Parameters
        ----------
        mean, alpha : ndarray of shape (n_cells,)
            Calibrated mean and NB2 dispersion of the number of events.
        spread : ndarray of shape (n_cells,)
            Variance between the members of the logarithm of the mean; 0 without.
        """
        seen = EVENTS_PER_SEEN * self.windows * mean / (1.0 + alpha * mean)
        estimation = 1.0 / (PRIOR_EVENTS + seen)
        return estimation + SPREAD_WEIGHT * spread + self.level + self.misfit

    def fitted(self, mean: Floats, observed: Floats, alpha: Floats) -> Self:
        """The same with the misfit that windows show which the model has not seen.

        Errors that last add up over windows where clustering averages out: the
        misfit is the dispersion of a cell's totals beyond that of independent NB2
        windows, most likely under a log-normal prior around what was expected.
        Forecasts take in what happens, so that estimation does not show there.

        Parameters
        ----------
        mean, observed, alpha : ndarray of shape (n_windows, n_cells)
            Calibrated forecasts and what happened, ascending in time.
        """
        parts = np.array_split(np.arange(mean.shape[0]), min(N_PARTS, mean.shape[0]))
        totals, happened, clustered = (
            np.array([values[part].sum(axis=0) for part in parts])
            for values in (mean, observed, alpha * np.square(mean))
        )
        independent = clustered / np.maximum(np.square(totals), 1e-300)
        surprise = np.log(MISFITS / self.misfit) / LOG_MISFIT_SD
        likelihood = [
            log_mass(happened, totals, independent + misfit).sum() for misfit in MISFITS
        ]
        best = np.argmax(np.array(likelihood) - 0.5 * np.square(surprise))
        return replace(self, misfit=float(MISFITS[best]))
