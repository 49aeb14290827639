import math

import numpy as np
import pytest
from prometheus_client import REGISTRY

from scoring.errors import TooFewEventsError
from scoring.models import Forecast, ModelSwitch, ModelVersion
from scoring.selectors.forecasts import get_columns, get_latest_forecast, get_scenarios
from scoring.services.forecasts.publishing import publish_forecast
from scoring.services.registry.fitting import fit_model
from tests.support.factories import DAY_S, make_region
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]

SHOWN_ON_THE_PAGE = {
    *("models", "information_gain", "n_events", "n_origins"),
    *("first_origin_s", "last_origin_s", "horizon_s"),
}


def test_events_become_a_champion_with_a_forecast_for_each_horizon() -> None:
    region = make_region()
    store_random_events(region)
    fitted = fit_model(region, kind="poisson_glm")
    version = ModelVersion.objects.get()
    assert version.state == ModelVersion.State.CHAMPION
    assert version.event_count == fitted.event_count == 600
    assert sorted(version.skill) == ["604800", "86400"]
    assert version.skill["86400"].keys() >= SHOWN_ON_THE_PAGE
    day, week = fitted.forecasts
    assert (day.horizon_sec, week.horizon_sec) == (DAY_S, 7 * DAY_S)
    assert day.issued_for == week.issued_for == version.trained_until
    assert 1.0 < day.expected_count < 10.0
    assert day.expected_count < week.expected_count
    columns = get_columns(day)
    assert columns.cells.size == day.cell_count == 37
    assert np.all((columns.q05 <= columns.q50) & (columns.q50 <= columns.q95))
    assert np.all((columns.q05 < columns.p_event) & (columns.p_event < columns.q95))
    assert math.isclose(columns.mean.sum(), day.expected_count)


def test_stored_scenarios_average_to_the_forecast_of_each_cell() -> None:
    region = make_region()
    store_random_events(region)
    forecasts = fit_model(region, kind="poisson_glm").forecasts
    for forecast in forecasts:
        columns, scenarios = get_columns(forecast), get_scenarios(forecast)
        counts = scenarios.counts()
        error = np.sqrt(columns.mean * (1 + columns.alpha * columns.mean) / 10_000)
        assert counts.shape == (10_000, 37)
        np.testing.assert_array_less(
            np.abs(counts.mean(axis=0) - columns.mean), 5 * error + 0.02 * columns.mean
        )
        busy = (counts > 0).mean(axis=0)
        np.testing.assert_allclose(busy, columns.p_event, atol=0.03)


def test_what_is_published_is_counted() -> None:
    region = make_region()
    store_random_events(region)
    kind = {"kind": "poisson_glm"}
    name = "scoring_forecasts_published_total"
    before = REGISTRY.get_sample_value(name, kind) or 0.0
    fit_model(region, kind="poisson_glm")
    assert REGISTRY.get_sample_value(name, kind) == before + 2


def test_a_second_run_leaves_the_champion_in_service() -> None:
    region = make_region()
    store_random_events(region)
    first = fit_model(region, kind="poisson_glm")
    second = fit_model(region, kind="poisson_glm")
    states = list(ModelVersion.objects.order_by("number").values_list("state"))
    assert states == [("champion",), ("candidate",)]
    assert second.model_version.number == 2
    assert second.forecasts == first.forecasts
    assert Forecast.objects.served().count() == Forecast.objects.count() == 2


def test_a_second_run_can_be_forced_into_service_with_a_reason() -> None:
    region = make_region()
    store_random_events(region)
    first = fit_model(region, kind="poisson_glm").model_version
    second = fit_model(region, kind="poisson_glm", forced_because="It is a test.")
    first.refresh_from_db()
    assert first.state == "retired"
    switch = ModelSwitch.objects.first()
    assert switch is not None
    assert (switch.before, switch.after) == (first, second.model_version)
    assert (switch.reason, switch.figures) == (
        "promotion",
        {"forced_because": "It is a test."},
    )
    assert get_latest_forecast(region, horizon_sec=DAY_S) == second.forecasts[0]
    assert Forecast.objects.served().count() == 4


def test_publishing_a_run_again_gives_the_forecast_that_is_there() -> None:
    region = make_region()
    store_random_events(region)
    fitted = fit_model(region, kind="poisson_glm")
    forecast = fitted.forecasts[0]
    again = publish_forecast(
        fitted.model_version,
        grid=fitted.grid,
        issued_for=forecast.issued_for,
        horizon_sec=forecast.horizon_sec,
    )
    assert again == forecast
    assert Forecast.objects.count() == 2


def test_too_few_events_are_refused_with_the_number() -> None:
    region = make_region()
    store_random_events(region, count=20)
    with pytest.raises(TooFewEventsError, match="has 20 events; a model needs 200"):
        fit_model(region, kind="poisson_glm")
    assert not ModelVersion.objects.exists()
