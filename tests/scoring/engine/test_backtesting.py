import json

import numpy as np
import pytest

from scoring.engine.backtesting import BacktestPlan, backtest
from scoring.engine.state import DAY_S
from tests.scoring.engine.regions import TIMEZONE, make_grid, make_history

GRID = make_grid(radius=3)
PLAN = BacktestPlan(
    horizon_s=DAY_S,
    n_origins=40,
    timezone=TIMEZONE,
    kind="poisson_glm",
    baselines=("long_run_count",),
)


def test_report_compares_models_on_the_same_windows() -> None:
    history = make_history(GRID, n_days=300)
    calls: list[tuple[str, int, int]] = []

    report = backtest(
        history,
        GRID,
        plan=PLAN,
        progress=lambda *call: calls.append(call),
    )

    assert calls == [("poisson_glm", 0, 2), ("long_run_count", 1, 2)]
    assert report.n_origins == 40
    assert [model.kind for model in report.models] == ["poisson_glm", "long_run_count"]
    assert list(report.information_gain) == ["long_run_count"]
    assert json.loads(json.dumps(report.as_dict()))["n_events"] == report.n_events
    assert report.models[0].level_bias == pytest.approx(1.0, abs=0.25)


def test_the_future_does_not_change_a_forecast() -> None:
    history = make_history(GRID, n_days=300)
    report = backtest(history, GRID, plan=PLAN)
    last_s = float(history.occurred_s[-1])
    shortened = history.known_at(np.nextafter(last_s, np.inf))

    assert backtest(shortened, GRID, plan=PLAN) == report
