"""One event of 1970 among those of 2023: left out, named, and nothing else changes."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from pytest_django import Settings

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from scoring.models import Forecast, ModelVersion, Region
from scoring.selectors.forecasts import get_columns
from scoring.selectors.regions import get_region_grid
from tests.scoring.features.readers import ARRIVED, get_snapshot, make_reader
from tests.support.factories import CENTRE, DAY_S, make_region
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
LONG_AGO = "1970-08-23T06:15:01+00:00"
LONG_AGO_MS = 20_240_101_000


@pytest.fixture
def region() -> Region:
    region = make_region(rings=1)
    store_random_events(region)
    return region


def store_stray(region: Region) -> None:
    events = EventColumns(
        occurred_ms=np.array([LONG_AGO_MS]),
        lat=np.array(CENTRE[:1]),
        lon=np.array(CENTRE[1:]),
    )
    store_events(events, grid=get_region_grid(region), source="stray", now=ARRIVED)


def run(command: str, region: Region, **options: object) -> str:
    """Run a command and give all it said."""
    out, err = StringIO(), StringIO()
    call_command(command, region=region.slug, stdout=out, stderr=err, **options)
    return out.getvalue() + err.getvalue()


def test_a_region_with_one_goes_on_and_says_which(region: Region) -> None:
    run("fit_model", region, model="poisson_glm")
    [before] = Forecast.objects.filter(horizon_sec=DAY_S)
    store_stray(region)

    text = run("fit_model", region, model="poisson_glm", promote="A test.")

    assert f"Left out: 1 event of {LONG_AGO} far before all others" in text
    after = Forecast.objects.filter(horizon_sec=DAY_S).latest("created_at")
    np.testing.assert_allclose(get_columns(after).mean, get_columns(before).mean)
    assert after.event_count == before.event_count == 600
    version = ModelVersion.objects.get(number=2)
    assert (version.trained_from.year, version.event_count) == (2023, 600)
    assert len(version.notes) == 1
    assert LONG_AGO in version.notes[0]


def test_a_back_test_leaves_it_out_and_says_so(
    region: Region, settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    options = {"models": "long_run_count", "horizon": "1d", "origins": 10}
    before = run("backtest", region, json=True, **options)
    store_stray(region)
    after = run("backtest", region, json=True, **options)
    assert LONG_AGO in after
    assert before[before.index("{") : before.index("}")] in after


def test_the_features_are_those_that_the_champion_was_fitted_on(
    region: Region,
) -> None:
    run("fit_model", region, model="poisson_glm")
    [forecast] = Forecast.objects.filter(horizon_sec=DAY_S)
    time, client = forecast.issued_for.isoformat(), make_reader()
    asked = {"time": time, "known_at": ARRIVED.isoformat(), "horizon_sec": DAY_S}
    before = get_snapshot(client, **asked).json()["features"]
    store_stray(region)
    assert get_snapshot(client, **asked).json()["features"] == before
    version = client.get(f"/api/v1/models/{forecast.model_version_id}").json()
    assert version["notes"] == []
