"""Excitation: how much has happened in each cell, on a ladder of time scales."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from scoring.engine.arrays import Floats, Integers
from scoring.engine.errors import EngineError

HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
SCALES_S: Final = (
    6 * HOUR_S,
    DAY_S,
    3 * DAY_S,
    10 * DAY_S,
    30 * DAY_S,
    100 * DAY_S,
    365 * DAY_S,
)


class ExcitationState:
    """Exponentially decayed sums S_ik = sum of w exp(-(t - t_e) / tau_k) per cell.

    An event costs O(1) per scale whatever its age, and nothing decays until it is
    read. The state is linear in the events, so a late arrival, a correction and a
    retraction are exact: the result is that of the same events in order of time.
    Sums of exponentials with fixed decays stand in for a power-law memory (Ogata
    1988; Bacry et al. 2017, the sum-of-exponentials kernel).

    Parameters
    ----------
    n_cells : int
    scales_s : sequence of float
        Decay times tau_k, seconds.
    """

    def __init__(self, n_cells: int, *, scales_s: tuple[float, ...] = SCALES_S) -> None:
        self.scales_s = np.asarray(scales_s, dtype=np.float64)
        self.excitation: Floats = np.zeros((n_cells, self.scales_s.size))
        self.updated_s: Floats = np.full(n_cells, -np.inf)

    def add(
        self,
        cell_index: ArrayLike,
        occurred_s: ArrayLike,
        *,
        weight: ArrayLike = 1.0,
    ) -> None:
        """Take in events, shape (n_events,) each, in any order and of any age."""
        cells: Integers = np.atleast_1d(np.asarray(cell_index, dtype=np.int64))
        times = np.broadcast_to(np.asarray(occurred_s, dtype=np.float64), cells.shape)
        weights = np.broadcast_to(np.asarray(weight, dtype=np.float64), cells.shape)
        if cells.size == 0:
            return
        self._advance(cells, times)
        age_s = self.updated_s[cells] - times
        n_cells = self.updated_s.size
        for scale, tau_s in enumerate(self.scales_s):
            arriving = weights * np.exp(-age_s / tau_s)
            self.excitation[:, scale] += np.bincount(cells, arriving, n_cells)

    def retract(
        self,
        cell_index: ArrayLike,
        occurred_s: ArrayLike,
        *,
        weight: ArrayLike = 1.0,
    ) -> None:
        """Take events out again, as if they had never been added."""
        self.add(cell_index, occurred_s, weight=-np.asarray(weight, dtype=np.float64))

    def read(self, instant_s: float) -> Floats:
        """Excitation at an instant, shape (n_cells, n_scales), not negative.

        Raises
        ------
        EngineError
            When an event later than the instant has been added: what the state was
            before that event is gone.
        """
        if np.any(self.updated_s > instant_s):
            raise EngineError(
                "The state is newer than the instant asked for; build it again from "
                "the events known then."
            )
        age_s = instant_s - self.updated_s
        decay = np.exp(-age_s[:, None] / self.scales_s[None, :])
        # Retracting what was added leaves rounding of either sign around zero.
        return np.maximum(self.excitation * decay, 0.0)

    def _advance(self, cells: Integers, times: Floats) -> None:
        """Decay the touched cells to the newest time known of each."""
        newest = self.updated_s.copy()
        np.maximum.at(newest, cells, times)
        touched = newest > self.updated_s
        elapsed_s = newest[touched] - self.updated_s[touched]
        self.excitation[touched] *= np.exp(-elapsed_s[:, None] / self.scales_s)
        self.updated_s = newest
