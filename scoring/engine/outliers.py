"""Events far before the rest of a record: placeholder dates and slips of the pen.

A record that seems to begin decades before its events has empty windows to learn from
and rates near zero. Events before a gap are left out where the gap is longer than all
that follows it and than 180 days, and at least half of the events and 14 days follow.
More than half of such a record would be empty; it is taken to begin after the gap.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.events import EventHistory
from scoring.engine.state import DAY_S

SHORTEST_GAP_S: Final = 180 * DAY_S
SHORTEST_REST_S: Final = 14 * DAY_S
LARGEST_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UsableRecord:
    """The events that models learn from, and those left out before them.

    Attributes
    ----------
    history : EventHistory
    left_out_s : ndarray of shape (n_left_out,)
        When the events happened that were left out, unix seconds, ascending.
    """

    history: EventHistory
    left_out_s: Floats


def without_outliers(history: EventHistory) -> UsableRecord:
    """Leave out events that lie far before all others."""
    n_left_out = _count_outliers(history.occurred_s)
    kept = np.arange(len(history)) >= n_left_out
    return UsableRecord(
        history=history.where(kept), left_out_s=history.occurred_s[~kept]
    )


def _count_outliers(occurred_s: Floats) -> int:
    n_before = np.arange(1, occurred_s.size)
    gap_s = np.diff(occurred_s)
    rest_s = occurred_s[-1:] - occurred_s[1:]
    is_end = (
        (gap_s > np.maximum(rest_s, SHORTEST_GAP_S))
        & (rest_s >= SHORTEST_REST_S)
        & (n_before <= LARGEST_SHARE * occurred_s.size)
    )
    return int(n_before[is_end].max(initial=0))
