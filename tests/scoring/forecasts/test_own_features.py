"""Cells that bring their own features: scored by the fitted model, once a question."""

from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings

from perf.metrics import CacheOutcome
from perf.switches import Switch
from scoring.arrays import named_arrays
from scoring.engine.artifacts import FORMAT_VERSION, digest_of, dump_artifact
from scoring.engine.fitting import fit_forecaster
from scoring.engine.forecasters import Forecaster
from scoring.errors import FeaturesNotUsableError, ModelOutdatedError
from scoring.models import Forecast, ModelArtifact, Region
from scoring.selectors.forecasts import get_columns
from scoring.services.forecasts.publishing import load_forecaster
from scoring.services.forecasts.snapshots import PREDICTIONS, ScoredCells, score_cells
from tests.perf.cache.keeping import count_of
from tests.scoring.engine.regions import START_S, TIMEZONE, make_grid, make_history
from tests.scoring.registry.artifacts import rewritten
from tests.support.factories import DAY_S

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
Features = dict[str, float]


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    grid = make_grid(radius=2)
    return fit_forecaster(
        make_history(grid, n_days=150),
        grid,
        horizon_s=DAY_S,
        timezone=TIMEZONE,
        until_s=START_S + 150 * DAY_S,
    )


@pytest.fixture
def forecast(published_forecast: Region, fitted: Forecaster) -> Forecast:
    forecast = Forecast.objects.get(region=published_forecast, horizon_sec=DAY_S)
    body = dump_artifact(fitted)
    ModelArtifact.objects.create(
        model_version=forecast.model_version,
        horizon_sec=DAY_S,
        digest=digest_of(body),
        body=body,
    )
    return forecast


@pytest.fixture
def features(fitted: Forecaster) -> Features:
    rng = np.random.default_rng(1)
    values = rng.normal(size=len(fitted.feature_names)).tolist()
    return dict(zip(fitted.feature_names, values, strict=True))


def score(forecast: Forecast, features: Features) -> ScoredCells:
    cells = [int(cell) for cell in get_columns(forecast).cells[:2]]
    return score_cells(forecast, cells=cells, features=[features, None], n_scenarios=30)


def spelled_out(scored: ScoredCells) -> list[bytes]:
    arrays = [scored.risk_values, *named_arrays(scored.columns).values()]
    return [array.tobytes("A") for array in arrays]


def test_kept_predictions_are_byte_by_byte_those_computed(
    forecast: Forecast, features: Features, settings: LazySettings
) -> None:
    turned = dict(reversed(features.items()))
    hits = count_of(PREDICTIONS, CacheOutcome.HIT)
    answers = [spelled_out(score(forecast, each)) for each in (features, turned)]
    assert count_of(PREDICTIONS, CacheOutcome.HIT) == hits + 1
    settings.PERFORMANCE_OFF = frozenset({Switch.VALUES, Switch.MODELS})
    answers.append(spelled_out(score(forecast, features)))
    assert answers == [answers[0]] * 3


def test_other_features_are_another_question(
    forecast: Forecast, features: Features
) -> None:
    name = next(iter(features))
    one = score(forecast, features)
    other = score(forecast, features | {name: features[name] + 1.0})
    assert one.columns.p_event[0] != other.columns.p_event[0]
    assert one.columns.p_event[1] == other.columns.p_event[1]


def test_features_that_do_not_fit_are_refused_every_time(
    forecast: Forecast, features: Features
) -> None:
    features.popitem()
    for _ in range(2):
        with pytest.raises(FeaturesNotUsableError):
            score(forecast, features)


def test_a_model_that_takes_no_features_says_so(
    forecast: Forecast, features: Features
) -> None:
    grid = make_grid(radius=2)
    count = fit_forecaster(
        make_history(grid, n_days=60),
        grid,
        horizon_s=DAY_S,
        timezone=TIMEZONE,
        until_s=START_S + 60 * DAY_S,
        kind="long_run_count",
    )
    body = dump_artifact(count)
    ModelArtifact.objects.update(digest=digest_of(body), body=body)
    with pytest.raises(FeaturesNotUsableError, match="Leave the features out"):
        score(forecast, features)


def test_own_features_have_an_interval_around_their_probability(
    forecast: Forecast, features: Features
) -> None:
    columns = score(forecast, features).columns
    assert (columns.q05 < columns.p_event).all()
    assert (columns.p_event < columns.q95).all()


def test_an_artifact_of_an_earlier_format_asks_to_be_fitted_again(
    forecast: Forecast, features: Features, fitted: Forecaster
) -> None:
    body = rewritten(dump_artifact(fitted), as_of_an_earlier_version)
    ModelArtifact.objects.filter(model_version=forecast.model_version).update(
        body=body, digest=digest_of(body)
    )
    with pytest.raises(ModelOutdatedError) as refused:
        score(forecast, features)
    assert "Fit the model again" in refused.value.message
    assert "fit_model --region chicago --promote" in refused.value.message


def as_of_an_earlier_version(manifest: dict[str, Any], arrays: dict[str, Any]) -> None:
    del arrays
    manifest["format_version"] = FORMAT_VERSION - 1


def test_a_process_holds_a_fitted_model_once(forecast: Forecast) -> None:
    first = load_forecaster(forecast.model_version, DAY_S)
    assert load_forecaster(forecast.model_version, DAY_S) is first
