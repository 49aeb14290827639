"""Whatever a record looks like: a forecast, or a sentence that says what to do."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from scoring.models import Forecast, ModelVersion, Region
from scoring.selectors.forecasts import get_columns
from scoring.selectors.regions import get_region_grid
from tests.support.factories import CENTRE, DAY_S, RESOLUTION, make_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.slow,
]
END = datetime(2024, 6, 1, tzinfo=UTC)
CELLS = sorted(h3.grid_disk(h3.latlng_to_cell(*CENTRE, RESOLUTION), 1))
FAR = h3.latlng_to_cell(41.0, -86.0, RESOLUTION)
NUMBERS = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Events spread evenly from `days_ago` on, over `days`, in some cells."""

    events: int
    days_ago: float
    days: float = 0.0
    cells: tuple[int, ...] = tuple(CELLS)


USUAL = Part(events=400, days_ago=60, days=60)
FEW = Part(events=210, days_ago=70, days=70)
ONE_FAR_BACK = Part(events=1, days_ago=54 * 365)
PLACEHOLDERS = Part(events=60, days_ago=124 * 365)
ODD = {
    "one far point in time": (USUAL, ONE_FAR_BACK),
    "one some months before": (USUAL, Part(events=1, days_ago=300)),
    "one far point in space": (USUAL, Part(events=1, days_ago=30, cells=(FAR,))),
    "one cell": (Part(events=400, days_ago=60, days=60, cells=(CELLS[0],)),),
    "one day": (Part(events=400, days_ago=1, days=1),),
    "five events": (Part(events=5, days_ago=60, days=60),),
    "placeholder dates": (FEW, PLACEHOLDERS, ONE_FAR_BACK),
    "a gap of years": (USUAL, Part(events=300, days_ago=8 * 365, days=90)),
    "a feed that resumed": (
        Part(events=300, days_ago=8 * 365, days=90),
        Part(events=5, days_ago=3, days=3),
    ),
    "all at one instant": (Part(events=300, days_ago=20),),
    "one instant, then another": (
        Part(events=150, days_ago=200),
        Part(events=150, days_ago=0),
    ),
    "after the moment": (USUAL, Part(events=3, days_ago=-70 * 365)),
    "seventy days": (FEW,),
}
parts = st.builds(
    Part,
    events=st.sampled_from([1, 5, 60, 250]),
    days_ago=st.sampled_from([0, 1, 20, 70, 300, 3_000, 20_000, -10, -20_000]),
    days=st.sampled_from([0.0, 1.0, 20.0, 70.0]),
    cells=st.sampled_from([tuple(CELLS), (CELLS[0],), (FAR,)]),
)


def store(region: Region, *several: Part) -> None:
    for number, part in enumerate(several):
        rng = np.random.default_rng(number)
        places = [h3.cell_to_latlng(cell) for cell in part.cells]
        chosen = np.array(places)[rng.integers(len(places), size=part.events)]
        start_s = (END - timedelta(days=part.days_ago)).timestamp()
        offsets_s = rng.uniform(0.0, part.days * DAY_S, part.events)
        events = EventColumns(
            occurred_ms=(1_000 * (start_s + offsets_s)).astype(np.int64),
            lat=chosen[:, 0],
            lon=chosen[:, 1],
        )
        now = timezone.now()
        store_events(
            events, grid=get_region_grid(region), source=f"part-{number}", now=now
        )


def said(command: str, **options: Any) -> str:
    """Give the sentence a command ends with; nothing where it did what it was told."""
    try:
        call_command(command, stdout=StringIO(), stderr=StringIO(), **options)
    except CommandError as error:
        return str(error)
    return ""


def try_everything(*several: Part, kind: str = "poisson_glm") -> list[str]:
    """Fit, refresh and back-test a region of its own."""
    region = make_region(f"odd-{next(NUMBERS)}", rings=1)
    store(region, *several)
    outcomes = [
        said("fit_model", region=region.slug, model=kind),
        said("backtest", region=region.slug, models=kind, horizon="1d", origins=4),
    ]
    assert all(outcome[-1:] in {"", "."} for outcome in outcomes), outcomes
    forecasts = Forecast.objects.of_region(region)
    assert forecasts.exists() is (outcomes[0] == "")
    for forecast in forecasts:
        assert forecast.issued_for <= timezone.now()
        assert np.isfinite(get_columns(forecast).p_event).all()
    return outcomes


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.mark.parametrize("name", ODD)
def test_an_odd_record_gives_a_forecast_or_a_sentence(name: str) -> None:
    outcomes = try_everything(*ODD[name])
    can_be_fitted = {
        *("one far point in time", "one some months before", "one far point in space"),
        *("one cell", "placeholder dates", "a gap of years", "after the moment"),
        "seventy days",
    }
    assert (outcomes[0] == "") is (name in can_be_fitted), outcomes


def test_a_short_record_is_forecast_for_the_horizons_it_is_long_enough_for() -> None:
    assert try_everything(Part(events=300, days_ago=40, days=40))[0] == ""
    version = ModelVersion.objects.get()
    horizons = version.artifacts.values_list("horizon_sec", flat=True)
    assert list(horizons) == [DAY_S]
    [note] = version.notes
    assert note.startswith("168 h cannot be forecast: The record holds 4 windows")


@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=st.sampled_from([USUAL, FEW, Part(events=300, days_ago=200, days=200)]),
    others=st.lists(parts, min_size=1, max_size=2),
    kind=st.sampled_from(["poisson_glm", "boosted_poisson", "linear_hawkes"]),
)
def test_any_mixture_of_them_does(first: Part, others: list[Part], kind: str) -> None:
    try_everything(first, *others, kind=kind)
