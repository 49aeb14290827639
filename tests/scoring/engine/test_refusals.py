"""What the engine will not do, and what it says then."""

import numpy as np
import pytest

from scoring.engine.aggregates import walk_aggregates
from scoring.engine.backtesting import BacktestPlan, block_origins
from scoring.engine.dispersion import Dispersion, fit_dispersion
from scoring.engine.errors import EngineError
from scoring.engine.events import EventHistory, SeverityTransform, build_history
from scoring.engine.fitting import fit_on_window
from scoring.engine.snapshots import Snapshot, walk_snapshots
from scoring.engine.state import DAY_S
from scoring.engine.training import open_window
from tests.scoring.engine.regions import START_S, TIMEZONE, make_grid, make_history

GRID = make_grid(radius=2)
HISTORY = make_history(GRID, n_days=120)
UNTIL_S = START_S + 120 * DAY_S


def _snapshot() -> Snapshot:
    return next(walk_snapshots(HISTORY, GRID, [UNTIL_S], timezone=TIMEZONE))


def _nothing() -> EventHistory:
    return build_history(GRID, [], [])


def test_events_need_columns_of_one_length_and_finite_times() -> None:
    with pytest.raises(EngineError, match="have one length"):
        build_history(GRID, GRID.cells[:2], [1.0])
    with pytest.raises(EngineError, match="finite numbers of seconds"):
        build_history(GRID, GRID.cells[:1], [np.nan])


def test_unknown_severity_weighs_one() -> None:
    severity = np.array([np.nan, 0.0, 10.0])

    logarithmic = SeverityTransform(kind="log", reference=10.0).weights(severity)

    assert logarithmic == pytest.approx([1.0, 1.0, 1.0 + np.log(2.0)])


def test_walks_go_forward_only() -> None:
    walk = walk_aggregates(HISTORY, GRID, [UNTIL_S, START_S])
    next(walk)

    with pytest.raises(EngineError, match="ascend"):
        next(walk)


def test_nothing_can_be_fitted_on_or_back_tested_on_nothing() -> None:
    with pytest.raises(EngineError, match="no event before the end"):
        open_window(
            _nothing(), GRID, horizon_s=DAY_S, timezone=TIMEZONE, until_s=UNTIL_S
        )
    plan = BacktestPlan(horizon_s=DAY_S, n_origins=3, timezone=TIMEZONE)
    with pytest.raises(EngineError, match="at least one origin and one event"):
        block_origins(_nothing(), plan)


def test_features_are_refused_where_they_do_not_fit() -> None:
    window = open_window(
        HISTORY, GRID, horizon_s=DAY_S, timezone=TIMEZONE, until_s=UNTIL_S
    )
    regression = fit_on_window(window, "poisson_glm")
    count = fit_on_window(window, "long_run_count")

    with pytest.raises(EngineError, match="expects 57 features"):
        regression.predict(np.zeros((3, 2)))
    with pytest.raises(EngineError, match="from a snapshot, not from features"):
        count.predict(_snapshot().features)
    with pytest.raises(EngineError, match="without a scenario model"):
        regression.scenarios(_snapshot(), n_scenarios=10, seed=1)


def test_a_region_without_events_still_has_features() -> None:
    snapshot = next(walk_snapshots(_nothing(), GRID, [UNTIL_S], timezone=TIMEZONE))

    assert np.isfinite(snapshot.features).all()
    assert snapshot.record_days == 1.0


def test_no_events_give_no_dispersion() -> None:
    assert fit_dispersion(np.ones(5), np.zeros(5)) == Dispersion()
