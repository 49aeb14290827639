"""The ledger gives back what was recorded, however often it was recorded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from analytics.errors import LedgerColumnsError
from analytics.reads import ledger
from analytics.reads.ledger import (
    ForecastCellColumns,
    ForecastKey,
    OutcomeColumns,
    ScenarioColumns,
    read_forecast_cells,
    read_outcomes,
    read_scenarios,
    record_forecast,
    record_outcomes,
    record_scenarios,
)
from analytics.store.clickhouse import fetch_rows, run_statement

pytestmark = pytest.mark.django_db(databases=["clickhouse"])
ISSUED_FOR = datetime(2026, 1, 1, tzinfo=UTC)
CELL_COUNT = 300


@pytest.fixture
def key() -> ForecastKey:
    return ForecastKey(forecast_id=uuid4(), region="chicago", issued_for=ISSUED_FOR)


def make_cells(scale: float = 1.0) -> ForecastCellColumns:
    cell = np.arange(CELL_COUNT, dtype=np.uint64) + np.uint64(613164979180273663)
    mean = scale * np.geomspace(0.5, 1e-6, CELL_COUNT)
    return ForecastCellColumns(
        cell=cell,
        mean=mean,
        alpha=np.full(CELL_COUNT, 0.3),
        p_event=1 - np.exp(-mean),
        q05=mean / 2,
        q50=mean,
        q95=mean * 2,
    )


def record(key: ForecastKey, cells: ForecastCellColumns) -> int:
    return record_forecast(key, cells, model_version="chicago/3", horizon_s=86_400)


def stored_count(table: str, forecast_id: UUID) -> int:
    """Count rows as they lie there, before any merge is made up for."""
    sql = f"SELECT count() FROM {table} WHERE forecast_id = toUUID(%(id)s)"  # noqa: S608 - the ledger's own names
    ((count,),) = fetch_rows("test", sql, {"id": str(forecast_id)})
    return int(count)


def test_cells_come_back_as_they_were(key: ForecastKey) -> None:
    cells = make_cells()

    assert record(key, cells) == CELL_COUNT

    found = read_forecast_cells(key)
    for name in ForecastCellColumns.__slots__:
        np.testing.assert_array_equal(getattr(found, name), getattr(cells, name))


def test_other_forecasts_are_kept_apart(key: ForecastKey) -> None:
    other = replace(key, forecast_id=uuid4())
    record(key, make_cells())
    record(other, make_cells(scale=0.1))

    assert read_forecast_cells(other).mean.max() == pytest.approx(0.05)
    unknown = read_forecast_cells(replace(key, forecast_id=uuid4()))
    assert unknown.cell.size == 0
    assert unknown.cell.dtype == np.uint64


@pytest.mark.parametrize("merge", [lambda: None, lambda: optimise(ledger.CELLS)])
def test_repeating_adds_nothing(
    key: ForecastKey, monkeypatch: pytest.MonkeyPatch, merge: Callable[[], None]
) -> None:
    monkeypatch.setattr(ledger, "INSERT_ROWS", 70)
    for _ in range(3):
        record(key, make_cells())
    merge()

    assert stored_count(ledger.CELLS, key.forecast_id) == CELL_COUNT
    assert read_forecast_cells(key).cell.size == CELL_COUNT


def test_rows_that_come_under_another_token_are_read_once(
    key: ForecastKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(key, make_cells())
    monkeypatch.setattr(ledger, "INSERT_ROWS", 299)
    record(key, make_cells())

    assert stored_count(ledger.CELLS, key.forecast_id) > CELL_COUNT
    assert read_forecast_cells(key).cell.size == CELL_COUNT


def test_scenarios_come_back_in_order(key: ForecastKey) -> None:
    scenarios = ScenarioColumns(
        scenario=np.array([1, 0, 0]),
        cell=np.array([7, 9, 8], dtype=np.uint64),
        count=np.array([2, 1, 3]),
        severity_sum=np.array([1.5, 0.0, 4.0]),
    )

    for _ in range(2):
        record_scenarios(key, scenarios)

    found = read_scenarios(key)
    assert found.scenario.tolist() == [0, 0, 1]
    assert found.cell.tolist() == [8, 9, 7]
    assert found.count.tolist() == [3, 1, 2]
    assert found.severity_sum.tolist() == [4.0, 0.0, 1.5]


def test_what_was_observed_last_counts(key: ForecastKey) -> None:
    cell = np.array([8, 9], dtype=np.uint64)
    later = ISSUED_FOR + timedelta(days=30)
    for observed_at, counts in (
        (later, [1, 2]),
        (later - timedelta(days=9), [0, 2]),
    ):
        outcomes = OutcomeColumns(cell=cell, count=np.array(counts))
        record_outcomes(key, outcomes, observed_at=observed_at)

    assert read_outcomes(key).count.tolist() == [1, 2]


@pytest.mark.parametrize(
    "wrong", [np.full(CELL_COUNT, np.nan), np.ones(3), np.ones((CELL_COUNT, 2))]
)
def test_columns_that_do_not_fit_are_refused(
    key: ForecastKey, wrong: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> None:
    with pytest.raises(LedgerColumnsError):
        record(key, replace(make_cells(), q50=wrong))

    assert stored_count(ledger.CELLS, key.forecast_id) == 0


def optimise(table: str) -> None:
    run_statement("test", f"OPTIMIZE TABLE {table} FINAL")
