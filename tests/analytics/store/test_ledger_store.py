"""The ledger holds what was recorded, however often it was recorded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.errors import LedgerColumnsError
from analytics.store import ledger
from analytics.store.clickhouse import fetch_rows, run_statement
from analytics.store.ledger import (
    CELLS,
    FIGURES,
    OUTCOMES,
    ForecastKey,
    record_forecast,
    record_outcomes,
)

pytestmark = pytest.mark.django_db(databases=["clickhouse"])
ISSUED_FOR = datetime(2026, 1, 1, tzinfo=UTC)
CELL_COUNT = 300
CELL_IDS = np.arange(CELL_COUNT, dtype=np.uint64) + np.uint64(613164979180273663)

Arrays = dict[str, NDArray[np.float64]]


@pytest.fixture
def key() -> ForecastKey:
    return ForecastKey(forecast_id=uuid4(), region="chicago", issued_for=ISSUED_FOR)


def make_arrays(scale: float = 1.0) -> Arrays:
    mean = scale * np.geomspace(0.5, 1e-6, CELL_COUNT)
    return {
        "mean": mean,
        "alpha": np.full(CELL_COUNT, 0.3),
        "p_event": 1 - np.exp(-mean),
        "q05": mean / 2,
        "q50": mean,
        "q95": mean * 2,
    }


def record(key: ForecastKey, arrays: Arrays) -> int:
    return record_forecast(
        key, CELL_IDS, arrays, model_version="chicago/3", horizon_s=86_400
    )


def stored(
    table: str, columns: str, forecast_id: UUID, *, final: bool = True
) -> list[Any]:
    """Read rows; without `final`, as they lie there before any merge."""
    sql = (
        f"SELECT {columns} FROM {table} {'FINAL' if final else ''} "  # noqa: S608 - the ledger's own names
        "WHERE forecast_id = toUUID(%(id)s) ORDER BY cell"
    )
    return list(fetch_rows("test", sql, {"id": str(forecast_id)}))


def count_stored(forecast_id: UUID, *, final: bool = False) -> int:
    return len(stored(CELLS, "cell", forecast_id, final=final))


def test_cells_are_stored_as_they_were(key: ForecastKey) -> None:
    arrays = make_arrays()

    assert record(key, arrays) == CELL_COUNT

    rows = stored(CELLS, ", ".join(("cell", *FIGURES)), key.forecast_id)
    cells, *figures = (np.array(column) for column in zip(*rows, strict=True))
    np.testing.assert_array_equal(cells, CELL_IDS)
    assert set(FIGURES) == arrays.keys()
    for name, found in zip(FIGURES, figures, strict=True):
        np.testing.assert_array_equal(found, arrays[name])


def test_other_forecasts_are_kept_apart(key: ForecastKey) -> None:
    other = replace(key, forecast_id=uuid4())
    record(key, make_arrays())
    record(other, make_arrays(scale=0.1))

    means = [mean for (mean, _) in stored(CELLS, "mean, cell", other.forecast_id)]
    assert max(means) == pytest.approx(0.05)
    assert count_stored(uuid4()) == 0


@pytest.mark.parametrize("merge", [lambda: None, lambda: optimise(CELLS)])
def test_repeating_adds_nothing(
    key: ForecastKey, monkeypatch: pytest.MonkeyPatch, merge: Callable[[], None]
) -> None:
    monkeypatch.setattr(ledger, "INSERT_ROWS", 70)
    for _ in range(3):
        record(key, make_arrays())
    merge()

    assert count_stored(key.forecast_id) == CELL_COUNT
    assert count_stored(key.forecast_id, final=True) == CELL_COUNT


def test_rows_that_come_under_another_token_are_read_once(
    key: ForecastKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(key, make_arrays())
    monkeypatch.setattr(ledger, "INSERT_ROWS", 299)
    record(key, make_arrays())

    assert count_stored(key.forecast_id) > CELL_COUNT
    assert count_stored(key.forecast_id, final=True) == CELL_COUNT


def test_what_was_observed_last_counts(key: ForecastKey) -> None:
    cells = np.array([8, 9], dtype=np.uint64)
    later = ISSUED_FOR + timedelta(days=30)
    for observed_at, counts in (
        (later, [1, 2]),
        (later - timedelta(days=9), [0, 2]),
    ):
        record_outcomes(key, cells, np.array(counts), observed_at=observed_at)

    rows = stored(OUTCOMES, "cell, count", key.forecast_id)
    assert [tuple(row) for row in rows] == [(8, 1), (9, 2)]


@pytest.mark.parametrize(
    "wrong", [np.full(CELL_COUNT, np.nan), np.ones(3), np.ones((CELL_COUNT, 2))]
)
def test_columns_that_do_not_fit_are_refused(
    key: ForecastKey, wrong: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> None:
    with pytest.raises(LedgerColumnsError):
        record(key, {**make_arrays(), "q50": wrong})

    assert count_stored(key.forecast_id) == 0


def optimise(table: str) -> None:
    run_statement("test", f"OPTIMIZE TABLE {table} FINAL")
