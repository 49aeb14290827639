"""Alerts are judged once their horizon has passed: right or not, and how early."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import pytest
from django.test import Client
from pytest_django import Settings

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from scoring.models import Alert, AlertRule, Forecast, Region
from scoring.selectors.regions import get_region_grid
from scoring.services.alerts.evaluation import evaluate_rules
from scoring.services.alerts.states import score_due_alerts
from tests.scoring.alerts.watching import at, line_of_cells, make_rule, publish

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
HOUR_S = 3_600


def happen(region: Region, *events: tuple[int, float]) -> None:
    """Store events: a cell, and hours after the start."""
    places = [h3.cell_to_latlng(cell) for cell, _ in events]
    columns = EventColumns(
        occurred_ms=np.array(
            [1_000 * int(at(hours).timestamp()) for _, hours in events]
        ),
        lat=np.array([lat for lat, _ in places]),
        lon=np.array([lon for _, lon in places]),
    )
    grid, now = get_region_grid(region), at(24 * 30)
    store_events(columns, grid=grid, source="test", now=now)


@pytest.fixture
def pass_a_month(time_machine: Any) -> Callable[[], None]:
    def move() -> None:
        time_machine.move_to(at(24 * 30))

    return move


def open_alerts(region: Region) -> tuple[AlertRule, Forecast]:
    """Open one alert at either end of the line."""
    cells = line_of_cells()
    rule = make_rule(region)
    forecast = publish(region, {cells[0]: 0.9, cells[-1]: 0.8})
    assert evaluate_rules(forecast).opened_count == 2
    return rule, forecast


def test_an_alert_is_right_if_an_event_came_in_time(
    region: Region, pass_a_month: Callable[[], None]
) -> None:
    cells = line_of_cells()
    open_alerts(region)
    pass_a_month()
    happen(
        region,
        *((cells[0], 6), (cells[0], 12), (cells[0], -1)),
        *((cells[-1], -2), (cells[-1], 25)),
    )
    assert score_due_alerts() == 2
    hot, other = Alert.objects.order_by("-value")
    assert (hot.was_right, hot.lead_time_s) == (True, 6 * HOUR_S)
    assert (other.was_right, other.lead_time_s) == (False, None)
    assert hot.scored_at is not None
    assert score_due_alerts() == 0


def test_an_alert_waits_until_the_record_has_gone_past_its_horizon(
    region: Region, pass_a_month: Callable[[], None]
) -> None:
    open_alerts(region)
    pass_a_month()
    assert score_due_alerts() == 0
    happen(region, (line_of_cells()[0], 23))
    assert score_due_alerts() == 0
    happen(region, (line_of_cells()[0], 24))
    assert score_due_alerts() == 2


def test_an_alert_waits_until_its_horizon_has_passed(
    region: Region, time_machine: Any, settings: Settings
) -> None:
    open_alerts(region)
    happen(region, (line_of_cells()[0], 24))
    settings.FORECAST_EMBARGO_S = HOUR_S
    time_machine.move_to(at(24) + timedelta(minutes=59))
    assert score_due_alerts() == 0
    time_machine.move_to(at(25))
    assert score_due_alerts() == 2


def test_an_alert_outlives_its_forecasts_and_is_judged_without_them(
    region: Region, client: Client, pass_a_month: Callable[[], None]
) -> None:
    cells = line_of_cells()
    rule, _ = open_alerts(region)
    later = publish(region, {cells[0]: 0.9}, hours=1)
    evaluate_rules(later)
    happen(region, (cells[0], 6), (cells[0], 30))
    valid_until = later.valid_until

    Forecast.objects.all().delete()

    shown = client.get("/api/v1/alerts", {"rule_id": str(rule.pk)}).json()["results"]
    assert [alert["first_forecast_id"] for alert in shown] == [None, None]
    assert [alert["last_forecast_id"] for alert in shown] == [None, None]
    assert datetime.fromisoformat(shown[1]["valid_until"]) == valid_until
    pass_a_month()
    assert score_due_alerts() == 2
    hot, other = Alert.objects.order_by("-value")
    assert (hot.was_right, hot.lead_time_s) == (True, 6 * HOUR_S)
    assert (hot.first_issued_for, hot.first_valid_until) == (at(0), at(24))
    assert other.was_right is False


def test_the_area_that_counts_is_the_one_that_was_announced(
    region: Region, pass_a_month: Callable[[], None]
) -> None:
    one, two, three = line_of_cells(3)
    make_rule(region)
    evaluate_rules(publish(region, {one: 0.9, two: 0.8}))
    evaluate_rules(publish(region, {two: 0.8, three: 0.9}, hours=1))
    happen(region, (three, 6), (three, 30))
    pass_a_month()
    assert score_due_alerts() == 1
    assert Alert.objects.get().was_right is False


def test_a_rule_tells_its_precision_and_lead_time(
    region: Region, client: Client, pass_a_month: Callable[[], None]
) -> None:
    cells = line_of_cells()
    rule, _ = open_alerts(region)
    address = f"/api/v1/alert-rules/{rule.pk}/performance"
    before = client.get(address).json()
    happen(region, (cells[0], 6), (cells[0], 30))
    pass_a_month()
    score_due_alerts()
    assert (before["scored_count"], before["precision"]) == (0, None)
    assert client.get(address).json() == {
        "rule_id": str(rule.pk),
        "alert_count": 2,
        "unresolved_count": 2,
        "held_back_count": 0,
        "scored_count": 2,
        "right_count": 1,
        "precision": 0.5,
        "median_lead_time_s": 6.0 * HOUR_S,
    }
