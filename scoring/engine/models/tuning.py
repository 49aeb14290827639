"""Choosing the parameters of a model by its likelihood inside the training window."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.skill import poisson_log_score
from scoring.engine.snapshots import Snapshot, walk_snapshots
from scoring.engine.training import TrainingWindow

MOST_TUNING_ORIGINS: Final = 120

Candidate = TypeVar("Candidate")


def best_candidate(
    window: TrainingWindow,
    candidates: Sequence[Candidate],
    mean_of: Callable[[Candidate, Snapshot], Floats],
) -> Candidate:
    """The candidate whose map is likeliest on the later half of the origins.

    The level of every candidate is set to the observed one: what is compared is
    where events are expected, the level is recalibrated anyway.
    """
    later_s = window.origins_s[window.origins_s.size // 2 :]
    stride = -(-later_s.size // MOST_TUNING_ORIGINS)
    origins_s = later_s[::stride].tolist()
    n_cells = len(window.grid)
    means = np.zeros((len(candidates), len(origins_s), n_cells))
    observed = np.zeros((len(origins_s), n_cells))
    snapshots = walk_snapshots(
        window.history, window.grid, origins_s, timezone=window.timezone
    )
    for row, snapshot in enumerate(snapshots):
        end_s = snapshot.instant_s + window.horizon_s
        observed[row] = window.history.counts_between(
            snapshot.instant_s, end_s, n_cells=n_cells
        )
        for place, candidate in enumerate(candidates):
            means[place, row] = mean_of(candidate, snapshot)
    levels = observed.sum() / np.maximum(means.sum(axis=(1, 2)), 1e-12)
    scores = poisson_log_score(means * levels[:, None, None], observed)
    return candidates[int(np.argmax(scores.sum(axis=(1, 2))))]
