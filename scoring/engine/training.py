"""Rows to learn from: features as known at past origins, and what happened next."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Self

import numpy as np

from scoring.engine.arrays import Flags, Floats, Integers
from scoring.engine.errors import EngineError
from scoring.engine.events import EventHistory
from scoring.engine.features import usable_columns
from scoring.engine.grid import Grid
from scoring.engine.snapshots import walk_snapshots
from scoring.engine.state import DAY_S, HOUR_S

WARM_UP_SHARE: Final = 0.25
LONGEST_WARM_UP_S: Final = 365 * DAY_S
MOST_ORIGINS: Final = 1_500
MOST_ROWS: Final = 250_000
QUIET_ROWS_PER_EVENT: Final = 25
FEWEST_QUIET_ROWS: Final = 30_000
FEWEST_ORIGINS: Final = 8
FEWEST_EVENTS: Final = 5
HELD_OUT_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingRows:
    """One row per kept pair of origin and cell.

    Attributes
    ----------
    features : ndarray of shape (n_rows, n_features)
    observed : ndarray of shape (n_rows,)
        Events in the cell within the horizon after the origin.
    weight : ndarray of shape (n_rows,)
        How many rows this one stands for: rows without an event are thinned.
    origin, cell_index : ndarray of shape (n_rows,), int64
    """

    features: Floats
    observed: Floats
    weight: Floats
    origin: Integers
    cell_index: Integers

    def where(self, kept: Flags) -> Self:
        """The rows for which `kept`, of shape (n_rows,), holds."""
        return type(self)(
            features=self.features[kept],
            observed=self.observed[kept],
            weight=self.weight[kept],
            origin=self.origin[kept],
            cell_index=self.cell_index[kept],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingWindow:
    """Everything known at the end of training, and the origins to learn from.

    Attributes
    ----------
    history : EventHistory
        Only what had arrived by `until_s`.
    origins_s : ndarray of shape (n_origins,)
        Ascending, at least a horizon apart; each horizon ends by `until_s`.
    whole : TrainingWindow, optional
        The window of which this one is the beginning, to share its rows.
    fitted : dict
        Models fitted on this window so far, by kind.
    """

    history: EventHistory
    grid: Grid
    horizon_s: float
    timezone: str
    until_s: float
    origins_s: Floats
    whole: "TrainingWindow | None" = None
    fitted: dict[str, Any] = field(default_factory=dict)

    @property
    def usable_columns(self) -> Flags:
        """Features that a model fitted on this window may lean on."""
        span_s = float(self.origins_s[-1] - self.origins_s[0])
        return usable_columns(horizon_s=self.horizon_s, span_s=span_s)

    @cached_property
    def rows(self) -> TrainingRows:
        """Rows of all origins; computed once."""
        if self.whole is None:
            return collect_rows(self)
        rows = self.whole.rows
        return rows.where(rows.origin < self.origins_s.size)

    @cached_property
    def training_part(self) -> Self:
        """The window without its last quarter, which is held out for calibration."""
        n_held_out = max(int(self.origins_s.size * HELD_OUT_SHARE), 2)
        return self.first(self.origins_s.size - n_held_out)

    def first(self, n_origins: int) -> Self:
        """The window that ends where the origin after the first `n_origins` lies.

        Origins lie a horizon apart, so that all its horizons end before that origin.
        """
        until_s = float(self.origins_s[n_origins])
        return replace(
            self,
            history=self.history.known_at(until_s),
            until_s=until_s,
            origins_s=self.origins_s[:n_origins],
            whole=self,
            fitted={},
        )


def open_window(
    history: EventHistory,
    grid: Grid,
    *,
    horizon_s: float,
    timezone: str,
    until_s: float,
) -> TrainingWindow:
    """Choose the origins to learn from.

    Raises
    ------
    EngineError
        When the record is too short for the horizon.
    """
    known = history.known_at(until_s)
    if len(known) == 0:
        raise EngineError("There is no event before the end of the training window.")
    first_s = float(known.occurred_s[0])
    warm_up_s = min((until_s - first_s) * WARM_UP_SHARE, LONGEST_WARM_UP_S)
    origins_s = rolling_origins(first_s + warm_up_s, until_s, horizon_s=horizon_s)
    if origins_s.size < FEWEST_ORIGINS:
        raise EngineError(
            f"The record holds {origins_s.size} windows of the horizon after a "
            f"warm-up; at least {FEWEST_ORIGINS} are needed. Use more events or a "
            "shorter horizon."
        )
    window = TrainingWindow(
        history=known,
        grid=grid,
        horizon_s=horizon_s,
        timezone=timezone,
        until_s=until_s,
        origins_s=origins_s,
    )
    _require_events(window.training_part)
    return window


def _require_events(window: TrainingWindow) -> None:
    """Refuse to learn from windows in which next to nothing happens."""
    occurred_s, origins_s = window.history.occurred_s, window.origins_s
    first, last = np.searchsorted(occurred_s, [origins_s, origins_s + window.horizon_s])
    # The later half alone chooses the parameters of some models.
    n_events = int((last - first)[origins_s.size // 2 :].sum())
    if n_events < FEWEST_EVENTS:
        raise EngineError(
            f"The windows to learn from hold {n_events} events; at least "
            f"{FEWEST_EVENTS} are needed. Check the dates of the events for gaps and "
            "placeholders, or use more events."
        )


def rolling_origins(
    start_s: float, end_s: float, *, horizon_s: float, most: int = MOST_ORIGINS
) -> Floats:
    """Ascending instants, at least a horizon apart, whose horizons end by `end_s`.

    An hour is added to each step so that the origins visit every hour of the day:
    the fitted model may be asked at any.
    """
    n_fitting = int((end_s - start_s - horizon_s) // (horizon_s + HOUR_S)) + 1
    if n_fitting < 1:
        return np.zeros(0)
    step_s = horizon_s + HOUR_S
    stride = -(-n_fitting // most)
    backwards = end_s - horizon_s - step_s * stride * np.arange(-(-n_fitting // stride))
    return np.asarray(backwards[::-1], dtype=np.float64)


def collect_rows(window: TrainingWindow, *, seed: int = 0) -> TrainingRows:
    """Describe every origin and keep all rows with events and a share of the others."""
    kept_share = _share_of_quiet_rows(window)
    rng = np.random.Generator(np.random.Philox(key=seed))
    n_cells = len(window.grid)
    parts: list[TrainingRows] = []
    snapshots = walk_snapshots(
        window.history, window.grid, window.origins_s, timezone=window.timezone
    )
    for origin, snapshot in enumerate(snapshots):
        end_s = snapshot.instant_s + window.horizon_s
        observed = window.history.counts_between(
            snapshot.instant_s, end_s, n_cells=n_cells
        )
        kept = np.flatnonzero((observed > 0) | (rng.random(n_cells) < kept_share))
        weight = np.where(observed[kept] > 0, 1.0, 1.0 / kept_share)
        parts.append(
            TrainingRows(
                features=snapshot.features[kept],
                observed=observed[kept],
                weight=weight,
                origin=np.full(kept.size, origin),
                cell_index=kept,
            )
        )
    return _joined(parts)


def _share_of_quiet_rows(window: TrainingWindow) -> float:
    n_rows = window.origins_s.size * len(window.grid)
    # Never more rows with events than events inside the horizons.
    n_busy = min(len(window.history), n_rows)
    room = max(MOST_ROWS - n_busy, MOST_ROWS // 2)
    wanted = FEWEST_QUIET_ROWS + QUIET_ROWS_PER_EVENT * n_busy
    return min(1.0, min(room, wanted) / max(n_rows - n_busy, 1))


def _joined(parts: list[TrainingRows]) -> TrainingRows:
    return TrainingRows(
        features=np.concatenate([part.features for part in parts]),
        observed=np.concatenate([part.observed for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        origin=np.concatenate([part.origin for part in parts]),
        cell_index=np.concatenate([part.cell_index for part in parts]),
    )
