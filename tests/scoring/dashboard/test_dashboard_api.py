"""The dashboard of a portfolio: three parts, each with its freshness and failure."""

from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from django.test import Client

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from scoring.models import Portfolio, Region
from scoring.selectors.forecasts import get_columns
from scoring.selectors.portfolio_dashboard import PortfolioDashboard
from scoring.selectors.regions import get_region_grid
from scoring.services.alerts.evaluation import evaluate_rules
from tests.scoring.alerts.watching import make_rule
from tests.support.factories import (
    CENTRE,
    DAY_S,
    ISSUED_FOR,
    make_forecast,
)

# The parts are read by threads with connections of their own.
pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
NOW = ISSUED_FOR + timedelta(hours=1)


def read(client: Client, portfolio: Portfolio, **query: str) -> PortfolioDashboard:
    answer = client.get(
        f"/api/v1/dashboard/{portfolio.pk}", {"time": NOW.isoformat(), **query}
    )
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content, type=PortfolioDashboard)


def happen(region: Region, *hours: float) -> None:
    """Store events at the centre, hours before now, and one far from any asset."""
    far = region.cells.order_by("-lat").first()
    assert far is not None
    moments = [NOW - timedelta(hours=before) for before in (*hours, 1.0)]
    columns = EventColumns(
        occurred_ms=np.array([int(1_000 * t.timestamp()) for t in moments]),
        lat=np.array([CENTRE[0]] * len(hours) + [far.lat]),
        lon=np.array([CENTRE[1]] * len(hours) + [far.lon]),
    )
    store_events(columns, grid=get_region_grid(region), source="test", now=NOW)


def test_an_empty_platform_has_an_empty_dashboard(
    client: Client, portfolio: Portfolio
) -> None:
    found = read(client, portfolio)
    assert found.metrics.data is not None
    assert (found.metrics.as_of, found.metrics.data.regions) == (None, [])
    assert found.events.data is not None
    assert (found.events.as_of, found.events.data.count) == (None, 0)
    assert found.alerts.data is not None
    assert (found.alerts.as_of, found.alerts.data.newest) == (None, [])
    assert (found.until, found.since) == (NOW, NOW - timedelta(days=1))


def test_each_part_tells_its_figures_and_how_fresh_they_are(
    client: Client, portfolio: Portfolio, region: Region, time_machine: Any
) -> None:
    # Alerts open only on forecasts whose window is not over.
    time_machine.move_to(NOW)
    make_forecast(region, horizon_sec=7 * DAY_S, scale=4.0)
    forecast = make_forecast(region)
    make_rule(region, portfolio=portfolio, threshold=1e-9, severity="critical")
    evaluate_rules(forecast)
    happen(region, 2, 3, 30)

    found = read(client, portfolio)

    risk, events, alerts = found.metrics.data, found.events.data, found.alerts.data
    assert risk is not None
    assert events is not None
    assert alerts is not None
    columns = get_columns(forecast)
    own = np.isin(columns.cells, list(portfolio.assets.values_list("places__h3")))
    assert (risk.asset_count, risk.total_value) == (3, "3000.00")
    (at_risk,) = risk.regions
    assert (at_risk.forecast_id, at_risk.cell_count) == (forecast.pk, 3)
    assert at_risk.expected_count == pytest.approx(columns.mean[own].sum())
    assert at_risk.worst_cell is not None
    assert at_risk.worst_cell.p_event == pytest.approx(columns.p_event[own].max())
    assert (events.count, events.regions[0].cell_count) == (2, 1)
    assert events.regions[0].last_occurred_at == NOW - timedelta(hours=2)
    assert (alerts.rule_count, alerts.unresolved) == (1, {"critical": 1})
    assert len(alerts.newest) == 1
    assert found.metrics.as_of == found.alerts.as_of == ISSUED_FOR
    assert found.events.as_of == NOW


@pytest.mark.parametrize(
    ("timeframe", "horizon_sec", "count"),
    [("24h", DAY_S, 1), ("7d", 7 * DAY_S, 2), ("30d", 7 * DAY_S, 3)],
)
def test_the_timeframe_chooses_horizon_and_events(
    timeframe: str,
    horizon_sec: int,
    count: int,
    client: Client,
    portfolio: Portfolio,
    region: Region,
) -> None:
    make_forecast(region)
    make_forecast(region, horizon_sec=7 * DAY_S)
    happen(region, 2, 48, 24 * 20)
    found = read(client, portfolio, timeframe=timeframe)
    assert found.metrics.data is not None
    assert found.metrics.data.regions[0].horizon_sec == horizon_sec
    assert found.events.data is not None
    assert found.events.data.count == count
