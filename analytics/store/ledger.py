"""The ledger: what was forecast for each cell, and what came of it, column by column.

The platform only writes it; it is there for queries of how forecasts did.
Writing is safe to repeat. An insert that comes again under its token adds nothing,
and should the token be forgotten, equal rows become one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from clickhouse_backend.models import Float64Field
from numpy.typing import NDArray

from analytics.errors import LedgerColumnsError
from analytics.metrics import LEDGER_ROWS
from analytics.models import ForecastCell
from analytics.store.clickhouse import Columns, insert_columns, to_milliseconds

CELLS = "analytics_forecastcell"
OUTCOMES = "analytics_forecastoutcome"
TABLE = ForecastCell._meta  # noqa: SLF001 - Django's documented name
# What a forecast says of a cell, by the names that its arrays have too.
FIGURES = tuple(field.name for field in TABLE.fields if isinstance(field, Float64Field))
INSERT_ROWS = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastKey:
    """What finds a forecast's rows: they lie together by these."""

    forecast_id: UUID
    region: str
    issued_for: datetime


def record_forecast(
    key: ForecastKey,
    cells: NDArray[np.uint64],
    arrays: Mapping[str, NDArray[np.float64]],
    *,
    model_version: str,
    horizon_s: int,
) -> int:
    """Record the distributions of a forecast; give the number of rows.

    `arrays` has those that `FIGURES` names, of shape (n_cells,); no cell is twice.
    """
    values = {"cell": cells} | {name: arrays[name] for name in FIGURES}
    constants = {"model_version": model_version, "horizon_s": horizon_s}
    return _record(CELLS, key, values, constants=constants)


def record_outcomes(
    key: ForecastKey,
    cells: NDArray[np.uint64],
    counts: NDArray[np.int64],
    *,
    observed_at: datetime,
) -> int:
    """Record what came of a forecast; what was observed last counts."""
    observed_ms = to_milliseconds(observed_at)
    return _record(
        OUTCOMES,
        key,
        {"cell": cells, "count": counts},
        constants={"observed_at": observed_ms},
        repetition=str(observed_ms),
    )


def _record(
    table: str,
    key: ForecastKey,
    values: Columns,
    *,
    constants: Mapping[str, object],
    repetition: str = "",
) -> int:
    _check(values)
    fixed: dict[str, object] = {
        "forecast_id": key.forecast_id,
        "region": key.region,
        "issued_for": to_milliseconds(key.issued_for),
        **constants,
    }
    row_count = 0
    # Cut into inserts always at the same rows, so that tokens stay true.
    for first in range(0, values["cell"].size, INSERT_ROWS):
        part = {
            name: array[first : first + INSERT_ROWS].tolist()
            for name, array in values.items()
        }
        size = len(part["cell"])
        columns = {name: [value] * size for name, value in fixed.items()} | part
        token = f"{table}/{key.forecast_id}/{repetition}/{first}"
        row_count += insert_columns("ledger_insert", table, columns, token=token)
    LEDGER_ROWS.labels(table).inc(row_count)
    return row_count


def _check(values: Columns) -> None:
    if {array.shape for array in values.values()} != {(values["cell"].size,)}:
        shapes = {name: array.shape for name, array in values.items()}
        raise LedgerColumnsError(
            "The columns of a forecast have to be equally long.", shapes=str(shapes)
        )
    wrong = [name for name, array in values.items() if not np.isfinite(array).all()]
    if wrong:
        raise LedgerColumnsError(
            f"These columns hold values that are not finite: {', '.join(wrong)}."
        )
