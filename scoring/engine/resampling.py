"""Uncertainty of skill: the moving-block bootstrap over origins."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from scoring.engine.arrays import Floats

N_RESAMPLES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure with the interval that holds it with probability 0.95."""

    value: float
    low: float
    high: float


def ratio_interval(
    numerator: Floats,
    denominator: Floats,
    *,
    block_length: int | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Interval of sum(numerator) / sum(denominator) over dependent origins.

    Moving blocks keep the dependence between neighbouring origins (Künsch 1989);
    clustered events have no central limit theorem within the spans at hand.

    Parameters
    ----------
    numerator, denominator : ndarray of shape (n_origins,)
    block_length : int, optional
        Origins per block, the cube root of their number times 1.5 if not given.
    """
    n_origins = numerator.size
    length = block_length or max(1, round(1.5 * n_origins ** (1 / 3)))
    length = min(length, n_origins)
    n_blocks = -(-n_origins // length)
    rng = np.random.Generator(np.random.Philox(key=seed))
    starts = rng.integers(0, n_origins - length + 1, size=(n_resamples, n_blocks))
    top = _block_sums(numerator, length)[starts].sum(axis=1)
    bottom = _block_sums(denominator, length)[starts].sum(axis=1)
    value = numerator.sum() / max(float(denominator.sum()), 1e-12)
    # A resample of quiet windows alone has no ratio.
    ratios = top[bottom > 0] / bottom[bottom > 0]
    low, high = np.quantile(ratios if ratios.size else value, (0.025, 0.975))
    return Interval(value=float(value), low=float(low), high=float(high))


def _block_sums(values: Floats, length: int) -> Floats:
    totals = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(totals[length:] - totals[:-length])
