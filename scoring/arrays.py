"""The stored form of a forecast's arrays: npz, never pickle."""

import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
FIELDS = ("cells", "mean", "alpha", "p_event", "q05", "q50", "q95")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastColumns:
    """Per-cell distributions; every array has shape (n_cells,), cells ascending.

    `mean` is the expected number of events, `alpha` the negative binomial
    dispersion; `p_event` and the quantiles are probabilities (see the API contract).
    """

    cells: NDArray[np.uint64]
    mean: FloatArray
    alpha: FloatArray
    p_event: FloatArray
    q05: FloatArray
    q50: FloatArray
    q95: FloatArray

    def take(self, rows: NDArray[Any]) -> "ForecastColumns":
        """Keep some cells, by index or mask, in the order given."""
        return ForecastColumns(**{name: getattr(self, name)[rows] for name in FIELDS})

    def replaced(
        self, rows: NDArray[np.int64], **values: FloatArray
    ) -> "ForecastColumns":
        """Copy with other values in some rows, each array of shape (n_rows,)."""
        changed = {name: getattr(self, name).copy() for name in values}
        for name, array in changed.items():
            array[rows] = values[name]
        return replace(self, **changed)


def pack_columns(columns: ForecastColumns) -> bytes:
    buffer = io.BytesIO()
    arrays = {name: getattr(columns, name) for name in FIELDS}
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack_columns(body: bytes) -> ForecastColumns:
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        return ForecastColumns(**{name: arrays[name] for name in FIELDS})
