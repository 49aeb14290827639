"""Vulnerability curves, deductibles and limits, from the database to the answer."""

from decimal import Decimal
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import pytest
from django.test import Client

from analytics.grid import RegionGrid
from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from riskplatform.api.keys.models import Organisation
from scoring.arrays import pack_scenarios
from scoring.errors import NotAssessableError
from scoring.models import (
    Forecast,
    ForecastArrays,
    Portfolio,
    Region,
    Vulnerability,
)
from scoring.services.assessments import assess_against
from tests.scoring.assessments.portfolios_of_losses import scenario_set
from tests.support.factories import (
    ISSUED_FOR,
    RESOLUTION,
    make_asset,
    make_forecast,
    make_portfolio,
    make_vulnerability,
)

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.databases,
    pytest.mark.usefixtures("no_events"),
]


@pytest.fixture
def two_events(chicago: Region) -> Forecast:
    """Give four scenarios, of which two have one event in the first cell."""
    forecast = make_forecast(chicago)
    rows = [(0, 0, 0, 0.25), (2, 0, 0, 0.75)]
    scenarios = scenario_set(rows, n_scenarios=4, n_cells=forecast.cell_count)
    ForecastArrays.objects.filter(forecast=forecast).update(
        scenarios=pack_scenarios(scenarios)
    )
    return forecast


@pytest.fixture
def insured(acme: Organisation, two_events: Forecast) -> Portfolio:
    """Give one asset whose damage is its severity in tenths."""
    cell = two_events.region.cells.order_by("h3").values_list("h3", flat=True)[0]
    portfolio = make_portfolio(acme)
    lat, lon = h3.cell_to_latlng(cell)
    make_asset(
        portfolio,
        lat=lat,
        lon=lon,
        vulnerability=make_vulnerability(acme),
        deductible=Decimal(100),
        limit=Decimal(600),
    )
    portfolio.refresh_from_db()
    return portfolio


def put_severities(*severity: float) -> None:
    count = len(severity)
    before_ms = int(ISSUED_FOR.timestamp() * 1_000) - 1_000
    events = EventColumns(
        occurred_ms=before_ms - np.arange(count),
        lat=np.full(count, 41.8),
        lon=np.full(count, -87.6),
        severity=np.array(severity),
    )
    grid = RegionGrid(slug="chicago", resolution=RESOLUTION, timezone="UTC")
    store_events(events, grid=grid, source="test", now=ISSUED_FOR)


def figures(portfolio: Portfolio, forecast: Forecast) -> Any:
    return assess_against(portfolio, forecast, quantiles=[0.5, 0.75])


def test_the_severity_of_an_event_is_the_quantile_at_its_rank(
    insured: Portfolio, two_events: Forecast
) -> None:
    """Marks 0.25 and 0.75 of the severities 2 and 8: 200 and 800, less the terms."""
    put_severities(8.0, 2.0)
    found = figures(insured, two_events)
    assert found.expected_loss == Decimal("175.00")
    assert found.figures["var"] == {"0.5": "0.00", "0.75": "100.00"}
    assert found.figures["tvar"] == {"0.5": "350.00", "0.75": "600.00"}
    assert found.figures["loss_probability"] == 0.5
    (asset,) = found.figures["top_assets"]
    assert asset["tvar_contribution"] == "600.00"
    assert asset["expected_loss"] == "175.00"


def test_without_severities_every_event_has_severity_one(
    insured: Portfolio, two_events: Forecast
) -> None:
    found = figures(insured, two_events)
    assert found.expected_loss == Decimal("0.00")


def test_a_portfolio_without_curves_needs_no_store_of_events(
    insured: Portfolio, two_events: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("scoring.selectors.assessment_inputs.ranked_severities")
    insured.assets.update(vulnerability=None)
    found = figures(insured, two_events)
    assert found.expected_loss == Decimal("300.00")


def test_a_curve_that_destroys_more_than_there_is_cannot_be_used(
    insured: Portfolio, two_events: Forecast
) -> None:
    make_vulnerability(slug="hot", points=[(0.0, 1.5)])
    insured.assets.update(vulnerability=Vulnerability.objects.get(slug="hot"))
    with pytest.raises(NotAssessableError, match="from 0 to 1"):
        figures(insured, two_events)


def test_what_grew_after_the_forecast_is_outside(
    insured: Portfolio, two_events: Forecast, client: Client
) -> None:
    """A cell of the region that the forecast does not know."""
    new = h3.grid_ring(h3.latlng_to_cell(41.85, -87.68, RESOLUTION), 4)[0]
    lat, lon = h3.cell_to_latlng(new)
    asset = make_asset(insured, "new", lat=lat, lon=lon, value="70.10")
    asset.places.create(region=two_events.region, h3=new)
    insured.refresh_from_db()
    found = figures(insured, two_events).figures
    assert found["inside"] == {"count": 1, "value": "1000.00"}
    assert found["outside"] == {"count": 1, "value": "70.10"}
