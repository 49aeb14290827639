"""What happened: the events of a region as arrays, with when each became known."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from scoring.engine.arrays import Cells, Flags, Floats, Integers
from scoring.engine.errors import EngineError
from scoring.engine.grid import Grid

LARGEST_EXPONENT = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityTransform:
    """How severity becomes the weight of an event in the excitation.

    `one` weighs all events alike, `log` gives 1 + ln(1 + severity / reference) and
    `exponential` gives 10 ** (coefficient * (severity - reference)), the productivity
    law of earthquakes (Utsu 1970). An unknown severity weighs 1.
    """

    kind: Literal["one", "log", "exponential"] = "one"
    coefficient: float = 0.8
    reference: float = 0.0

    def weights(self, severity: Floats) -> Floats:
        """Weight of each event, finite and not negative."""
        if self.kind == "one":
            return np.ones_like(severity)
        known = np.where(np.isfinite(severity), severity, self.reference)
        if self.kind == "log":
            scale = self.reference if self.reference > 0 else 1.0
            raw = 1.0 + np.log1p(np.maximum(known, 0.0) / scale)
        else:
            exponent = self.coefficient * (known - self.reference)
            raw = 10.0 ** np.clip(exponent, -LARGEST_EXPONENT, LARGEST_EXPONENT)
        return np.where(np.isfinite(severity), raw, 1.0)


ONE_EACH = SeverityTransform()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventHistory:
    """Events inside a grid, ascending by the time they happened.

    Attributes
    ----------
    cell_index : ndarray of shape (n_events,), int64
        Position of the event's cell in the grid.
    occurred_s, arrived_s : ndarray of shape (n_events,)
        Unix seconds when the event happened and when the platform learnt of it.
    weight : ndarray of shape (n_events,)
    n_outside : int
        Events that were dropped because their cell is not part of the grid.
    """

    cell_index: Integers
    occurred_s: Floats
    arrived_s: Floats
    weight: Floats
    n_outside: int = 0

    def __len__(self) -> int:
        return self.cell_index.size

    def known_at(self, instant_s: float) -> Self:
        """Events that had happened before an instant and arrived by it."""
        return self.where((self.occurred_s < instant_s) & (self.arrived_s <= instant_s))

    def counts_between(self, start_s: float, end_s: float, *, n_cells: int) -> Floats:
        """Events per cell with start <= occurred < end, shape (n_cells,)."""
        first, last = np.searchsorted(self.occurred_s, (start_s, end_s))
        counts = np.bincount(self.cell_index[first:last], minlength=n_cells)
        return counts.astype(np.float64)

    def where(self, kept: Flags) -> Self:
        """The events for which `kept`, of shape (n_events,), holds."""
        return type(self)(
            cell_index=self.cell_index[kept],
            occurred_s=self.occurred_s[kept],
            arrived_s=self.arrived_s[kept],
            weight=self.weight[kept],
            n_outside=self.n_outside,
        )


def build_history(
    grid: Grid,
    cells: ArrayLike,
    occurred_s: ArrayLike,
    *,
    arrived_s: ArrayLike | None = None,
    severity: ArrayLike | None = None,
    transform: SeverityTransform = ONE_EACH,
) -> EventHistory:
    """Bring events onto a grid.

    Parameters
    ----------
    grid : Grid
    cells : array_like of shape (n_events,), uint64
        H3 cell of each event, of the grid's resolution. Events outside are dropped
        and counted in `n_outside`.
    occurred_s : array_like of shape (n_events,)
        Unix seconds, in any order.
    arrived_s : array_like of shape (n_events,), optional
        Unix seconds; an event counts as known at once where this is not given.
    severity : array_like of shape (n_events,), optional
        NaN where unknown.
    transform : SeverityTransform
    """
    occurred = np.asarray(occurred_s, dtype=np.float64)
    arrived = occurred if arrived_s is None else np.asarray(arrived_s, np.float64)
    severities = np.full(occurred.shape, np.nan) if severity is None else severity
    weight = transform.weights(np.asarray(severities, dtype=np.float64))
    cell_ids: Cells = np.asarray(cells, dtype=np.uint64)
    _require_equal_lengths(cell_ids, occurred, arrived, weight)
    cell_index = grid.index_of(cell_ids)
    order = np.argsort(occurred, kind="stable")
    order = order[cell_index[order] >= 0]
    return EventHistory(
        cell_index=cell_index[order],
        occurred_s=occurred[order],
        arrived_s=arrived[order],
        weight=weight[order],
        n_outside=int(np.count_nonzero(cell_index < 0)),
    )


def _require_equal_lengths(cells: Cells, *columns: Floats) -> None:
    if any(column.shape != cells.shape or cells.ndim != 1 for column in columns):
        raise EngineError("Cells, times and severities of events have one length.")
    if not all(np.isfinite(column).all() for column in columns):
        raise EngineError("Times of events are finite numbers of seconds.")
