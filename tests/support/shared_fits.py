"""Fits each model once: the same events, grid and plan give the same forecaster.

Only for tests of what is done with a fitted model; those of the engine fit for real.
"""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from scoring.engine import backtesting, fitting
from scoring.engine.backtesting import BacktestPlan
from scoring.engine.events import EventHistory
from scoring.engine.grid import Grid
from scoring.engine.training import TrainingWindow

_RESULTS: dict[Hashable, Any] = {}


@pytest.fixture(autouse=True)
def fits_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give what an earlier test of this process has fitted on the same inputs."""
    for module, name, key in (
        (fitting, "fit_on_window", _key_of_window),
        (fitting, "fit_scenario_model", _key_of_window),
        (backtesting, "fit_on_window", _key_of_window),
        (backtesting, "run_backtest", _key_of_backtest),
        (backtesting, "report_of", _key_of_report),
    ):
        shared = _Shared(getattr(module, name), key)
        monkeypatch.setattr(module, name, shared)


@dataclass(frozen=True, slots=True)
class _Shared:
    compute: Callable[..., Any]
    key_of: Callable[..., Hashable]

    def __call__(self, *args: Any, **options: Any) -> Any:
        key = (self.compute.__name__, self.key_of(*args, **options))
        if key not in _RESULTS:
            _RESULTS[key] = self.compute(*args, **options)
        return _RESULTS[key]


def _key_of_window(window: TrainingWindow, kind: str = "") -> Hashable:
    return (
        _digest(window.history, window.grid, window.origins_s),
        *(window.horizon_s, window.timezone, window.until_s, kind),
    )


def _key_of_backtest(
    history: EventHistory, grid: Grid, *, plan: BacktestPlan, progress: object
) -> Hashable:
    assert progress is None, "What is not computed again makes no progress."
    return _digest(history, grid), plan


def _key_of_report(tables: tuple[object, ...], grid: Grid) -> Hashable:
    # They are compared by identity, and kept: another table cannot take the place.
    return tables, _digest(None, grid)


def _digest(
    history: EventHistory | None, grid: Grid, *others: "np.ndarray[Any, Any]"
) -> str:
    digest = hashlib.sha256()
    arrays = [grid.cells, *others]
    if history is not None:
        arrays += [history.cell_index, history.occurred_s, history.arrived_s]
        arrays += [history.weight, np.array(history.n_outside)]
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
