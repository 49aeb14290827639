"""Is a forecast's total anywhere near what has been happening? A guard, not a test.

A model that is broken, or asked with its inputs missing, can expect next to nothing or
beyond all bounds where events keep coming. The record of the last 365 days, cut into
windows as long as the horizon, says what is out of the question:

- too little: less than a tenth of what the quietest stretch of the record had a window,
  a stretch being long enough to hold some 20 events on average, at most a quarter of
  the record;
- too much: more than ten times the busiest window, or, where that is more, than ten
  times the largest weight of a window in events of mean weight (a great earthquake
  announces more than it is).

Both are taken at their 99.9 % Poisson limit (Garwood 1936, Biometrika 28, 437), so that
few events refuse little. Extremes instead of means let quiet seasons, bursts and their
aftermath pass: a stretch without events allows any small total, a busy window a large
one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import gammaincinv

from scoring.engine.arrays import Floats, Integers
from scoring.engine.snapshots import RECENT_S, Snapshot
from scoring.engine.state import DAY_S

LARGEST_FACTOR: Final = 10.0
CONFIDENCE: Final = 0.999
EVENTS_PER_STRETCH: Final = 20.0
FEWEST_STRETCHES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PlausibleTotal:
    """Bounds on the events expected within a horizon, and the record behind them.

    Attributes
    ----------
    low, high : float
        Totals beyond these are out of the question.
    n_windows : int
        Windows of the horizon's length that the record holds.
    mean, smallest, largest : float
        Events in such a window: mean, per window of the quietest stretch, busiest.
    """

    low: float
    high: float
    n_windows: int
    mean: float
    smallest: float
    largest: float

    def allows(self, expected: float) -> bool:
        """Whether a total is a number within the bounds."""
        return bool(np.isfinite(expected) and self.low <= expected <= self.high)


def plausible_total(snapshot: Snapshot, *, horizon_s: float) -> PlausibleTotal | None:
    """Bound a forecast's total by the record; None where that is too short.

    Parameters
    ----------
    snapshot : Snapshot
        What the forecast is made from.
    horizon_s : float
    """
    record_s = min(snapshot.record_days * DAY_S, RECENT_S)
    n_windows = int(record_s / horizon_s)
    if n_windows < FEWEST_STRETCHES:
        return None
    window = np.floor(snapshot.recent.age_s / horizon_s).astype(np.int64)
    inside = window < n_windows
    count = _sums(window[inside], np.ones(int(inside.sum())), n_windows)
    weight = _sums(window[inside], snapshot.recent.weight[inside], n_windows)
    total = float(count.sum())
    in_events = weight * (total / max(float(weight.sum()), 1e-300))
    busiest = float(np.maximum(count, in_events).max())
    size, quietest = _quietest_stretch(count)
    return PlausibleTotal(
        low=_lower_limit(quietest) / size / LARGEST_FACTOR,
        high=_upper_limit(busiest * LARGEST_FACTOR),
        n_windows=n_windows,
        mean=total / n_windows,
        smallest=quietest / size,
        largest=float(count.max()),
    )


def _quietest_stretch(count: Floats) -> tuple[int, float]:
    """Windows of a stretch, and the fewest events that one of them holds."""
    mean = max(float(count.mean()), 1e-12)
    longest = count.size // FEWEST_STRETCHES
    size = int(np.clip(np.ceil(EVENTS_PER_STRETCH / mean), 1, longest))
    n_stretches = count.size // size
    # Windows count backwards from the instant; the oldest are left over.
    stretches = count[: n_stretches * size].reshape(n_stretches, size)
    return size, float(stretches.sum(axis=1).min())


def _sums(window: Integers, values: Floats, n_windows: int) -> Floats:
    return np.bincount(window, values, n_windows).astype(np.float64)


def _lower_limit(count: float) -> float:
    """Smallest mean for which so many events, or more, are not out of the question."""
    tail = (1.0 - CONFIDENCE) / 2.0
    return float(gammaincinv(count, tail)) if count > 0 else 0.0


def _upper_limit(count: float) -> float:
    """Largest mean for which so few events, or fewer, are not out of the question."""
    return float(gammaincinv(count + 1.0, (1.0 + CONFIDENCE) / 2.0))
