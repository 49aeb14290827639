import math

import numpy as np
import pytest

from scoring.errors import TooFewEventsError
from scoring.models import Forecast, ModelVersion
from scoring.selectors.forecasts import get_columns
from scoring.services.forecasting import publish_forecast
from scoring.services.refreshing import refresh_forecasts
from tests.factories import DAY_S, make_region
from tests.scoring.events import store_random_events

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
    refreshed = refresh_forecasts(region)
    version = ModelVersion.objects.get()
    assert version.state == ModelVersion.State.CHAMPION
    assert version.event_count == refreshed.event_count == 600
    assert sorted(version.skill) == ["604800", "86400"]
    assert version.skill["86400"].keys() >= SHOWN_ON_THE_PAGE
    day, week = refreshed.forecasts
    assert (day.horizon_sec, week.horizon_sec) == (DAY_S, 7 * DAY_S)
    assert day.issued_for == week.issued_for == version.trained_until
    assert 1.0 < day.expected_count < 10.0
    assert day.expected_count < week.expected_count
    columns = get_columns(day)
    assert columns.cells.size == day.cell_count == 37
    assert np.all((columns.q05 <= columns.q50) & (columns.q50 <= columns.q95))
    assert math.isclose(columns.mean.sum(), day.expected_count)


def test_a_second_run_retires_the_first_champion() -> None:
    region = make_region()
    store_random_events(region)
    first = refresh_forecasts(region).model_version
    second = refresh_forecasts(region).model_version
    first.refresh_from_db()
    assert (first.state, second.state) == ("retired", "champion")
    assert (first.number, second.number) == (1, 2)
    assert Forecast.objects.count() == 4


def test_publishing_a_run_again_gives_the_forecast_that_is_there() -> None:
    region = make_region()
    store_random_events(region)
    refreshed = refresh_forecasts(region)
    forecast = refreshed.forecasts[0]
    again = publish_forecast(
        refreshed.model_version,
        grid=refreshed.grid,
        issued_for=forecast.issued_for,
        horizon_sec=forecast.horizon_sec,
    )
    assert again == forecast
    assert Forecast.objects.count() == 2


def test_too_few_events_are_refused_with_the_number() -> None:
    region = make_region()
    store_random_events(region, count=20)
    with pytest.raises(TooFewEventsError, match="has 20 events; a model needs 200"):
        refresh_forecasts(region)
    assert not ModelVersion.objects.exists()
