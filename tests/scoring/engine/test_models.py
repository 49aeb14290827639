import h3.api.numpy_int as h3
import lightgbm
import numpy as np
import pytest

from scoring.engine.dispersion import Dispersion
from scoring.engine.errors import EngineError
from scoring.engine.features import feature_names
from scoring.engine.fitting import fit_forecaster
from scoring.engine.models.boosting import PARAMETERS, grow_trees
from scoring.engine.models.ensemble import stacked_shares
from scoring.engine.models.glm import fit_glm_rows
from scoring.engine.models.hawkes import maximise_weights
from scoring.engine.models.registry import fit_model
from scoring.engine.smoothing import cell_spacing_km, gaussian_kernel
from scoring.engine.state import DAY_S
from scoring.engine.training import TrainingRows, open_window, rolling_origins
from tests.scoring.engine.regions import START_S, TIMEZONE, make_grid, make_history

N_FEATURES = len(feature_names())


def _rows(n_rows: int, *, seed: int = 1) -> TrainingRows:
    """Counts whose log mean is 0.8 x0 - 0.5 x1 - 1, the other features being noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_rows, N_FEATURES))
    mean = np.exp(0.8 * features[:, 0] - 0.5 * features[:, 1] - 1.0)
    return TrainingRows(
        features=features,
        observed=rng.poisson(mean).astype(np.float64),
        weight=np.ones(n_rows),
        origin=np.zeros(n_rows, dtype=np.int64),
        cell_index=np.arange(n_rows),
    )


def test_regression_finds_the_coefficients() -> None:
    model = fit_glm_rows(_rows(20_000), ridge=np.full(N_FEATURES, 1e-6))

    slopes = model.coefficients / model.scale
    assert slopes[:2] == pytest.approx([0.8, -0.5], abs=0.03)
    assert np.abs(slopes[2:]).max() < 0.05


def test_thinned_rows_with_weights_give_the_same_regression() -> None:
    rows = _rows(60_000)
    rng = np.random.default_rng(2)
    kept = (rows.observed > 0) | (rng.random(60_000) < 0.25)
    thinned = rows.where(kept)
    weighted = TrainingRows(
        features=thinned.features,
        observed=thinned.observed,
        weight=np.where(thinned.observed > 0, 1.0, 4.0),
        origin=thinned.origin,
        cell_index=thinned.cell_index,
    )

    full, fewer = (
        fit_glm_rows(r, ridge=np.full(N_FEATURES, 1e-6)) for r in (rows, weighted)
    )

    np.testing.assert_allclose(fewer.coefficients[:2], full.coefficients[:2], rtol=0.05)


def test_trees_as_arrays_predict_what_the_library_predicts() -> None:
    rows = _rows(5_000)
    usable = np.arange(N_FEATURES) < N_FEATURES - 1
    model = grow_trees(rows, n_trees=20, usable=usable)
    base = np.log(rows.observed.mean())
    features = rows.features.copy()
    features[:, -1] = 0.0
    booster = lightgbm.train(
        {**PARAMETERS, "min_sum_hessian_in_leaf": 12.0},
        lightgbm.Dataset(features, rows.observed, init_score=np.full(5_000, base)),
        num_boost_round=20,
    )

    expected = np.exp(base + booster.predict(features, raw_score=True))
    np.testing.assert_allclose(model.predict(rows.features), expected, rtol=1e-9)


def test_expectation_maximisation_finds_the_weights() -> None:
    rng = np.random.default_rng(4)
    parts = rng.gamma(1.0, size=(50_000, 3))
    counts = rng.poisson(parts @ [0.2, 0.0, 0.5]).astype(np.float64)
    busy = counts > 0

    weights = maximise_weights(parts[busy], counts[busy], parts.sum(axis=0))

    assert weights == pytest.approx([0.2, 0.0, 0.5], abs=0.02)


def test_shares_go_to_the_member_that_knows() -> None:
    rng = np.random.default_rng(6)
    log_truth = rng.normal(size=20_000)
    observed = rng.poisson(np.exp(log_truth - 1)).astype(np.float64)
    log_means = np.array([log_truth, rng.normal(size=20_000), np.zeros(20_000)])

    shares = stacked_shares(log_means, observed, np.ones(20_000))

    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] > 0.9


def test_members_that_agree_have_equal_shares() -> None:
    rng = np.random.default_rng(7)
    log_mean = rng.normal(size=2_000)
    observed = rng.poisson(np.exp(log_mean)).astype(np.float64)

    shares = stacked_shares(np.tile(log_mean, (4, 1)), observed, np.ones(2_000))

    assert shares == pytest.approx(np.full(4, 0.25), abs=1e-4)


def test_smoothing_moves_events_and_loses_none() -> None:
    grid = make_grid(radius=5)
    kernel = gaussian_kernel(grid, 1.0)
    count = np.zeros(len(grid))
    centre = int(grid.index_of([h3.latlng_to_cell(41.88, -87.63, 8)])[0])
    count[centre] = 10.0

    spread = np.asarray(kernel @ count)

    assert spread.sum() == pytest.approx(10.0)
    assert np.argmax(spread) == centre
    assert np.count_nonzero(spread > 0.01) > 19
    assert cell_spacing_km(grid) == pytest.approx(0.93, abs=0.05)


def test_origins_are_a_horizon_apart_and_end_in_time() -> None:
    origins_s = rolling_origins(0.0, 100 * DAY_S, horizon_s=7 * DAY_S)

    assert np.diff(origins_s).min() >= 7 * DAY_S
    assert origins_s[0] >= 0
    assert origins_s[-1] + 7 * DAY_S <= 100 * DAY_S
    assert origins_s.size == 14


def test_refuses_an_unknown_kind_and_a_short_record() -> None:
    grid = make_grid(radius=2)
    history = make_history(grid, n_days=30)
    window = open_window(
        history,
        grid,
        horizon_s=DAY_S,
        timezone=TIMEZONE,
        until_s=START_S + 30 * DAY_S,
    )

    with pytest.raises(EngineError, match="No model is called 'oracle'"):
        fit_model("oracle", window)
    with pytest.raises(EngineError, match="at least 8 are needed"):
        fit_forecaster(
            history,
            grid,
            horizon_s=7 * DAY_S,
            timezone=TIMEZONE,
            until_s=START_S + 30 * DAY_S,
        )


def test_dispersion_grows_as_a_power_of_the_mean() -> None:
    dispersion = Dispersion(intercept=np.log(2.0), slope=-0.5)

    assert dispersion.alpha(np.array([1.0, 4.0])) == pytest.approx([2.0, 1.0])
