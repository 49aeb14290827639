"""Every forecast is written to the ledger, whatever went wrong before."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError

from analytics.store.clickhouse import fetch_columns
from analytics.store.ledger import CELLS, OUTCOMES, record_forecast
from scoring.models import Forecast, ForecastSkill
from scoring.selectors.forecasts import get_columns
from scoring.services.forecasts import skill
from scoring.services.forecasts.skill import (
    score_due_forecasts,
    write_missing_forecasts,
)
from tests.support.factories import DAY_S, make_forecast, make_region
from tests.support.random_events import START, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.databases,
    pytest.mark.usefixtures("no_events"),
]


def make_forecasts() -> list[Forecast]:
    region = make_region(rings=1)
    return [
        make_forecast(region, horizon_sec=days * DAY_S, scale=days)
        for days in (1, 2, 7)
    ]


def rows_of(forecast: Forecast, table: str, names: Iterable[str]) -> dict[str, Any]:
    sql = (
        f"SELECT {', '.join(names)} FROM {table} FINAL "  # noqa: S608 - names of the ledger
        "WHERE forecast_id = toUUID(%(id)s) ORDER BY cell"
    )
    return fetch_columns("test", sql, {"id": str(forecast.pk)})


def test_each_forecast_is_written_once_with_all_its_cells() -> None:
    forecasts = make_forecasts()
    assert write_missing_forecasts() == 3
    assert write_missing_forecasts() == 0
    for forecast in forecasts:
        rows = rows_of(forecast, CELLS, ("region", "model_version", "horizon_s"))
        assert set(rows["region"]) == {"chicago"}
        assert set(rows["model_version"]) == {"poisson_glm-1"}
        assert rows["horizon_s"].tolist() == [forecast.horizon_sec] * 7


def test_what_could_not_be_written_is_written_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_forecasts()
    recorded: list[Any] = []

    def break_after_one(key: Any, *args: Any, **options: Any) -> int:
        if recorded:
            raise OperationalError("ClickHouse is down")
        recorded.append(key)
        return record_forecast(key, *args, **options)

    with monkeypatch.context() as broken:
        broken.setattr(skill, "record_forecast", break_after_one)
        assert write_missing_forecasts() == 1
    assert Forecast.objects.filter(ledgered_at=None).count() == 2
    assert write_missing_forecasts() == 2
    assert not Forecast.objects.filter(ledgered_at=None).exists()


def test_outcomes_are_written_of_forecasts_that_are_in_the_ledger() -> None:
    region = make_region()
    store_random_events(region)
    known = make_forecast(region, issued_for=START + timedelta(days=150))
    write_missing_forecasts()
    make_forecast(region, issued_for=START + timedelta(days=151))
    assert score_due_forecasts() == 1
    skill = ForecastSkill.objects.get()
    assert skill.forecast == known
    outcomes = rows_of(known, OUTCOMES, ("cell", "count"))
    np.testing.assert_array_equal(outcomes["cell"], get_columns(known).cells)
    assert outcomes["count"].sum() == skill.observed_count


def test_the_ledger_holds_what_was_forecast() -> None:
    forecast = make_forecast(make_region())
    assert write_missing_forecasts() == 1
    Forecast.objects.update(ledgered_at=None)
    assert write_missing_forecasts() == 1
    columns, rows = get_columns(forecast), rows_of(forecast, CELLS, ("cell", "p_event"))
    np.testing.assert_array_equal(rows["cell"], columns.cells)
    np.testing.assert_array_equal(rows["p_event"], columns.p_event)
