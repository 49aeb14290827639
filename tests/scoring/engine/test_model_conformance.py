"""What every model keeps to, whatever its family."""

from functools import cache

import numpy as np
import pytest

from scoring.engine.artifacts import digest_of, dump_artifact, load_artifact
from scoring.engine.distributions import event_probability
from scoring.engine.events import EventHistory
from scoring.engine.fitting import fit_on_window
from scoring.engine.forecasters import FeatureModel, Forecaster
from scoring.engine.models.registry import KINDS
from scoring.engine.snapshots import Snapshot, walk_snapshots
from scoring.engine.state import DAY_S
from scoring.engine.training import TrainingWindow, open_window
from tests.scoring.engine.regions import START_S, TIMEZONE, make_grid, make_history

GRID = make_grid(radius=4)
HISTORY = make_history(GRID, n_days=300)
UNTIL_S = START_S + 240 * DAY_S

pytestmark = pytest.mark.parametrize("kind", KINDS)


def _window(history: EventHistory) -> TrainingWindow:
    return open_window(
        history, GRID, horizon_s=DAY_S, timezone=TIMEZONE, until_s=UNTIL_S
    )


@cache
def _shared_window() -> TrainingWindow:
    return _window(HISTORY)


@cache
def _fitted(kind: str) -> Forecaster:
    return fit_on_window(_shared_window(), kind)


@cache
def _snapshots() -> list[Snapshot]:
    instants_s = (UNTIL_S + DAY_S * np.arange(0.0, 59.0)).tolist()
    return list(walk_snapshots(HISTORY, GRID, instants_s, timezone=TIMEZONE))


def test_forecasts_are_positive_and_finite(kind: str) -> None:
    for snapshot in _snapshots()[::20]:
        mean = _fitted(kind).mean_of(snapshot)

        assert mean.shape == (len(GRID),)
        assert np.isfinite(mean).all()
        assert (mean > 0).all()


def test_distributions_are_ordered_and_their_mean_risk_is_the_probability(
    kind: str,
) -> None:
    cells = _fitted(kind).distribution_at(_snapshots()[0])

    assert (cells.q05 <= cells.q50).all()
    assert (cells.q50 <= cells.q95).all()
    assert (cells.q05 < cells.p_event).all()
    assert (cells.p_event < cells.q95).all()
    assert ((cells.p_event > 0) & (cells.p_event < 1)).all()
    np.testing.assert_array_equal(
        cells.p_event, event_probability(cells.mean, cells.alpha)
    )


def test_the_level_is_right_on_average(kind: str) -> None:
    forecast = [_fitted(kind).mean_of(snapshot).sum() for snapshot in _snapshots()]
    happened = [
        HISTORY.counts_between(
            s.instant_s, s.instant_s + DAY_S, n_cells=len(GRID)
        ).sum()
        for s in _snapshots()
    ]

    assert np.sum(forecast) / np.sum(happened) == pytest.approx(1.0, abs=0.2)


def test_busy_cells_are_ranked_above_quiet_ones(kind: str) -> None:
    mean = np.mean([_fitted(kind).mean_of(s) for s in _snapshots()], axis=0)
    happened = HISTORY.counts_between(UNTIL_S, UNTIL_S + 60 * DAY_S, n_cells=len(GRID))
    busiest = np.argsort(-mean)[: len(GRID) // 4]

    assert happened[busiest].sum() / happened.sum() > 0.4


def test_the_future_does_not_reach_the_fit(kind: str) -> None:
    blind = fit_on_window(_window(HISTORY.known_at(UNTIL_S)), kind)

    snapshot = _snapshots()[0]
    np.testing.assert_array_equal(
        blind.mean_of(snapshot), _fitted(kind).mean_of(snapshot)
    )
    assert blind.calibration == _fitted(kind).calibration


def test_the_artifact_forecasts_the_same(kind: str) -> None:
    artifact = dump_artifact(_fitted(kind))

    loaded = load_artifact(artifact, digest=digest_of(artifact))

    snapshot = _snapshots()[3]
    np.testing.assert_array_equal(
        loaded.mean_of(snapshot), _fitted(kind).mean_of(snapshot)
    )
    assert (loaded.kind, loaded.calibration) == (kind, _fitted(kind).calibration)


def test_features_are_enough_where_the_model_says_so(kind: str) -> None:
    forecaster, snapshot = _fitted(kind), _snapshots()[5]
    if not isinstance(forecaster.model, FeatureModel):
        return
    some = np.arange(len(GRID))[::3]

    np.testing.assert_allclose(
        forecaster.predict(snapshot.features[some]),
        forecaster.mean_of(snapshot)[some],
        rtol=1e-12,
    )


def test_the_level_scales_the_mean(kind: str) -> None:
    snapshot = _snapshots()[0]

    single, double = (
        _fitted(kind).with_level(level).mean_of(snapshot) for level in (1.0, 2.0)
    )

    np.testing.assert_allclose(double, 2.0 * single, rtol=1e-12)
