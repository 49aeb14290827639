"""Finished tables on disk: whole, the same as before, and of these inputs only."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from riskplatform.kernel.errors import ApplicationError
from scoring.engine.calibration import Calibration
from scoring.engine.dispersion import Dispersion
from scoring.engine.forecast_tables import ForecastTable
from scoring.evaluation.backtests.running import (
    BacktestRequest,
    parse_horizons,
    parse_kinds,
)
from scoring.evaluation.backtests.table_store import (
    MOST_KEPT,
    TableStore,
    key_of_inputs,
)
from scoring.horizons import horizon_word
from tests.scoring.engine.regions import TIMEZONE, make_grid, make_history

GRID = make_grid(radius=1)


def make_table() -> ForecastTable:
    rng = np.random.Generator(np.random.Philox(key=1))
    return ForecastTable(
        kind="ensemble",
        horizon_s=86_400.0,
        origins_s=86_400.0 * np.arange(3, dtype=np.float64),
        mean=rng.random((3, 7)),
        alpha=rng.random((3, 7)),
        spread=rng.random((3, 7)),
        observed=np.ones((3, 7)),
        calibration=Calibration(level=1.25, dispersion=Dispersion(slope=0.5)),
    )


def test_a_saved_table_is_loaded_as_it_was(tmp_path: Path) -> None:
    store, table = TableStore.open(tmp_path, key="a"), make_table()
    store.save(table)
    loaded = store.load("ensemble", 86_400)
    assert loaded is not None
    assert (loaded.kind, loaded.horizon_s) == ("ensemble", 86_400.0)
    assert loaded.calibration == table.calibration
    for name in ("origins_s", "mean", "alpha", "spread", "observed"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(table, name))
    assert store.load("ensemble", 604_800) is None


def test_a_table_that_was_not_finished_is_not_loaded(tmp_path: Path) -> None:
    store = TableStore.open(tmp_path, key="a")
    (store.folder / "ensemble-86400.unfinished").write_bytes(b"half")
    assert store.load("ensemble", 86_400) is None


def test_the_oldest_folders_are_let_go(tmp_path: Path) -> None:
    for age in range(MOST_KEPT + 3):
        folder = tmp_path / f"old{age:02}"
        folder.mkdir()
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    TableStore.open(tmp_path, key="new")
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["new", *(f"old{age:02}" for age in range(MOST_KEPT - 1))]


def test_the_key_changes_with_every_input() -> None:
    history = make_history(GRID, n_days=30)
    plan = "10 origins"
    keys = {
        key_of_inputs(history, GRID, timezone=TIMEZONE, plan=plan),
        key_of_inputs(history, GRID, timezone="UTC", plan=plan),
        key_of_inputs(history, GRID, timezone=TIMEZONE, plan="11 origins"),
        key_of_inputs(history, make_grid(radius=2), timezone=TIMEZONE, plan=plan),
        key_of_inputs(
            replace(history, weight=2 * history.weight),
            GRID,
            timezone=TIMEZONE,
            plan=plan,
        ),
    }
    assert len(keys) == 5
    assert key_of_inputs(history, GRID, timezone=TIMEZONE, plan=plan) in keys


def test_words_are_read_once_each_and_in_order() -> None:
    assert parse_horizons("7d, 1d,7d") == (604_800, 86_400)
    assert parse_kinds("ensemble,long_run_count") == ("ensemble", "long_run_count")
    assert [horizon_word(seconds) for seconds in (21_600, 86_400, 90)] == [
        "6h",
        "1d",
        "90s",
    ]


@pytest.mark.parametrize("words", ["", "1d,,7d", "24"])
def test_an_unknown_horizon_is_refused(words: str) -> None:
    with pytest.raises(ApplicationError, match="There is no horizon"):
        parse_horizons(words)


def test_too_few_origins_are_refused() -> None:
    with pytest.raises(ApplicationError, match="3 origins says nothing"):
        BacktestRequest(kinds=("ensemble",), horizons_sec=(86_400,), n_origins=3)
