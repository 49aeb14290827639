"""The ledger: what was forecast for each cell, and what came of it, column by column.

Writing is safe to repeat. An insert that comes again under its token adds nothing,
and should the token be forgotten, equal rows become one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from analytics.errors import LedgerColumnsError
from analytics.metrics import LEDGER_ROWS
from analytics.store.clickhouse import (
    Budget,
    Columns,
    SqlValue,
    fetch_columns,
    insert_columns,
    to_milliseconds,
)

READ = Budget(max_seconds=30)
CELLS = "analytics_forecastcell"
SCENARIOS = "analytics_forecastscenario"
OUTCOMES = "analytics_forecastoutcome"
INSERT_ROWS = 500_000

Cells = NDArray[np.uint64]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

OF_FORECAST = """
FINAL PREWHERE region = %(region)s
    AND issued_for = fromUnixTimestamp64Milli(%(issued_ms)s, 'UTC')
    AND forecast_id = toUUID(%(forecast_id)s)
"""
READ_CELLS = f"""
SELECT cell, mean, alpha, p_event, q05, q50, q95
FROM {CELLS} {OF_FORECAST} ORDER BY cell
"""  # noqa: S608 - names of this module
READ_SCENARIOS = f"""
SELECT scenario, cell, count, severity_sum
FROM {SCENARIOS} {OF_FORECAST} ORDER BY scenario, cell
"""  # noqa: S608 - names of this module
READ_OUTCOMES = f"""
SELECT cell, count FROM {OUTCOMES} {OF_FORECAST} ORDER BY cell
"""  # noqa: S608 - names of this module


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastKey:
    """What finds a forecast's rows: they lie together by these."""

    forecast_id: UUID
    region: str
    issued_for: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastCellColumns:
    """One distribution a cell; every array has shape (n_cells,), no cell is twice."""

    cell: Cells
    mean: Floats
    alpha: Floats
    p_event: Floats
    q05: Floats
    q50: Floats
    q95: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenarioColumns:
    """The cells of scenarios that have events; what is missing has none."""

    scenario: Integers
    cell: Cells
    count: Integers
    severity_sum: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeColumns:
    cell: Cells
    count: Integers


def record_forecast(
    key: ForecastKey, cells: ForecastCellColumns, *, model_version: str, horizon_s: int
) -> int:
    """Record the distributions of a forecast; give the number of rows."""
    constants = {"model_version": model_version, "horizon_s": horizon_s}
    return _record(CELLS, key, _values(cells), constants=constants)


def record_scenarios(key: ForecastKey, scenarios: ScenarioColumns) -> int:
    return _record(SCENARIOS, key, _values(scenarios))


def record_outcomes(
    key: ForecastKey, outcomes: OutcomeColumns, *, observed_at: datetime
) -> int:
    """Record what came of a forecast; what was observed last counts."""
    observed_ms = to_milliseconds(observed_at)
    return _record(
        OUTCOMES,
        key,
        _values(outcomes),
        constants={"observed_at": observed_ms},
        repetition=str(observed_ms),
    )


def read_forecast_cells(key: ForecastKey) -> ForecastCellColumns:
    """Read the distributions of a forecast, by ascending cell."""
    return ForecastCellColumns(**_read("ledger_cells", READ_CELLS, key))


def read_scenarios(key: ForecastKey) -> ScenarioColumns:
    columns = _read("ledger_scenarios", READ_SCENARIOS, key)
    columns["scenario"] = columns["scenario"].astype(np.int64)
    columns["count"] = columns["count"].astype(np.int64)
    return ScenarioColumns(**columns)


def read_outcomes(key: ForecastKey) -> OutcomeColumns:
    columns = _read("ledger_outcomes", READ_OUTCOMES, key)
    return OutcomeColumns(cell=columns["cell"], count=columns["count"].astype(np.int64))


def _record(
    table: str,
    key: ForecastKey,
    values: Columns,
    *,
    constants: Mapping[str, object] | None = None,
    repetition: str = "",
) -> int:
    _check(values)
    fixed: dict[str, object] = {
        "forecast_id": key.forecast_id,
        "region": key.region,
        "issued_for": to_milliseconds(key.issued_for),
        **(constants or {}),
    }
    row_count = 0
    for first, part in _parts(values):
        size = next(iter(part.values())).size
        columns = {name: [value] * size for name, value in fixed.items()}
        columns |= {name: array.tolist() for name, array in part.items()}
        token = f"{table}/{key.forecast_id}/{repetition}/{first}"
        row_count += insert_columns("ledger_insert", table, columns, token=token)
    LEDGER_ROWS.labels(table).inc(row_count)
    return row_count


def _parts(values: Columns) -> Iterator[tuple[int, Columns]]:
    """Cut columns into inserts, always at the same rows, so that tokens stay true."""
    size = next(iter(values.values())).size
    for first in range(0, size, INSERT_ROWS):
        part = slice(first, first + INSERT_ROWS)
        yield first, {name: array[part] for name, array in values.items()}


def _check(values: Columns) -> None:
    shapes = {name: array.shape for name, array in values.items()}
    if len(set(shapes.values())) != 1 or any(len(one) != 1 for one in shapes.values()):
        raise LedgerColumnsError(
            "The columns of a forecast have to be equally long.", shapes=str(shapes)
        )
    wrong = [
        name
        for name, array in values.items()
        if array.dtype.kind == "f" and not np.isfinite(array).all()
    ]
    if wrong:
        raise LedgerColumnsError(
            f"These columns hold values that are not finite: {', '.join(wrong)}."
        )


def _read(name: str, sql: str, key: ForecastKey) -> dict[str, Any]:
    params: dict[str, SqlValue] = {
        "region": key.region,
        "issued_ms": to_milliseconds(key.issued_for),
        "forecast_id": str(key.forecast_id),
    }
    return fetch_columns(name, sql, params, budget=READ)


def _values(
    columns: ForecastCellColumns | ScenarioColumns | OutcomeColumns,
) -> Columns:
    return {name: getattr(columns, name) for name in columns.__slots__}
