"""The cities of the demo, assessed against a forecast of made-up events."""

from datetime import timedelta

import h3.api.basic_int as h3
import numpy as np
import pytest
from django.contrib.auth.models import User

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from riskplatform.api.keys.models import Membership
from scoring.demo.datasets import Dataset
from scoring.demo.datasets.north_atlantic import City
from scoring.demo.loading import DemoReport
from scoring.demo.portfolio import assess_cities, join_demo_organisation
from scoring.management.commands.load_demo import render_demo_report
from scoring.models import Asset, Forecast, Portfolio, Region
from scoring.selectors.regions import get_region_grid
from scoring.services.registry.fitting import FittedRegion, fit_model
from tests.support.factories import CENTRE, RESOLUTION, make_region
from tests.support.random_events import START, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


@pytest.fixture
def fitted() -> FittedRegion:
    region = make_region(rings=2)
    store_random_events(region)
    gale = EventColumns(
        occurred_ms=np.array([1_000 * int(START.timestamp())]),
        lat=np.array([CENTRE[0]]),
        lon=np.array([CENTRE[1]]),
        severity=np.array([40.0]),
    )
    store_events(gale, grid=get_region_grid(region), source="storms", now=START)
    return fit_model(region, kind="poisson_glm")


def cities(region: Region) -> list[City]:
    places = region.cells.values_list("lat", "lon")
    return [
        City(
            geonames_id=number, name="=Rome", country="IT", lat=y, lon=x, population=100
        )
        for number, (y, x) in enumerate(places, start=1)
    ]


def dataset(region: Region, *, wind_kt: float) -> Dataset:
    lat, lon = np.array(region.cells.values_list("lat", "lon")).T
    return Dataset(
        slug=region.slug,
        name=region.name,
        timezone=region.timezone,
        resolution=RESOLUTION,
        source="test",
        event_type="storm",
        credit="",
        url="",
        observed_since=START,
        occurred_at=[START + timedelta(days=1)] * lat.size,
        lat=lat,
        lon=lon,
        severity=np.full(lat.size, wind_kt),
        cells=frozenset(h3.grid_disk(h3.latlng_to_cell(*CENTRE, RESOLUTION), 2)),
        boundary=None,
    )


def test_the_cities_are_assessed_and_reported(fitted: FittedRegion) -> None:
    region, forecast = fitted.model_version.region, fitted.forecasts[-1]
    storms = dataset(region, wind_kt=40.0)
    report = assess_cities(storms, cities(region), forecast=forecast)
    assert (report["cities"], report["people"]) == (19, 1_900)
    assert 0 < report["expected_exposed"] <= report["var_95"] <= report["tvar_95"]
    assert report["tvar_95"] <= 1_900
    assert report["horizon_sec"] == forecast.horizon_sec == 7 * 86_400
    assert {row["city"] for row in report["top_cities"]} == {"=Rome, IT"}
    whole = DemoReport(region=region, rejected_count=0, fitted=fitted, cities=report)
    text = render_demo_report(whole.as_dict(url="http://x"), is_terminal=False)
    assert "1,900 people in 19 cities" in text


def test_repeating_it_leaves_one_portfolio(fitted: FittedRegion) -> None:
    region, forecast = fitted.model_version.region, fitted.forecasts[-1]
    for count in (19, 5):
        storms = dataset(region, wind_kt=40.0)
        assess_cities(storms, cities(region)[:count], forecast=forecast)
    assert Portfolio.objects.count() == 1
    assert Asset.objects.count() == 19
    assert Forecast.objects.count() == 2


def test_the_person_named_acts_for_the_organisation(fitted: FittedRegion) -> None:
    user = User.objects.create_user("admin")
    join_demo_organisation("admin")
    assert Membership.objects.count() == 0
    region, forecast = fitted.model_version.region, fitted.forecasts[-1]
    storms = dataset(region, wind_kt=40.0)
    assess_cities(storms, cities(region), forecast=forecast)
    for name in ("admin", "admin", "nobody"):
        join_demo_organisation(name)
    membership = Membership.objects.get()
    assert (membership.user, membership.organisation.slug) == (user, "demo")
    assert membership.role == Membership.Role.EDITOR
