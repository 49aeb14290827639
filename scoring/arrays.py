"""The stored forms of what a forecast says: npz, never pickle."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scoring.engine.distributions import CellDistribution, distribution_of
from scoring.engine.simulation import ScenarioSet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastColumns(CellDistribution):
    """A distribution of each cell, with the H3 index of the cell, ascending.

    Every array has shape (n_cells,).
    """

    cells: NDArray[np.uint64]

    @classmethod
    def of(cls, cells: NDArray[np.uint64], distribution: CellDistribution) -> Self:
        return cls(cells=cells, **named_arrays(distribution))

    def take(self, rows: NDArray[Any]) -> Self:
        """Keep some cells, by index or mask, in the order given."""
        chosen = {name: array[rows] for name, array in named_arrays(self).items()}
        return type(self)(**chosen)

    def replaced(self, rows: NDArray[np.int64], other: CellDistribution) -> Self:
        """Copy with the distributions of some rows replaced by others, in order."""
        changed = {}
        for name, values in named_arrays(other).items():
            changed[name] = np.array(getattr(self, name))
            changed[name][rows] = values
        return replace(self, **changed)


def pack_columns(columns: ForecastColumns) -> bytes:
    return _pack(named_arrays(columns))


def unpack_columns(body: bytes) -> ForecastColumns:
    """Read the columns of a forecast.

    Forecasts of earlier versions do not say how well a rate is known. They are read
    as if nothing but that made numbers scatter, which is the most it can be.
    """
    arrays = _unpack(body)
    if "rate_variance" not in arrays:
        mean, alpha = arrays["mean"], arrays["alpha"]
        return ForecastColumns.of(arrays["cells"], distribution_of(mean, alpha, alpha))
    return ForecastColumns(**arrays)


def pack_scenarios(scenarios: ScenarioSet) -> bytes:
    return _pack(named_arrays(scenarios))


def unpack_scenarios(body: bytes) -> ScenarioSet:
    """Read a scenario set; its scalars come back as the numbers they were."""
    arrays = _unpack(body)
    values: dict[str, Any] = {
        name: array if array.ndim else array.item() for name, array in arrays.items()
    }
    return ScenarioSet(**values)


def named_arrays(instance: CellDistribution | ScenarioSet) -> dict[str, Any]:
    """Give what one consists of, by name: what it can be made of again."""
    return {field.name: getattr(instance, field.name) for field in fields(instance)}


def _pack(arrays: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _unpack(body: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        return dict(arrays)
