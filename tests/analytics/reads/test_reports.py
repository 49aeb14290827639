"""Reports say the same from rollups, from the events, and as counted by hand."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import h3.api.basic_int as h3
import numpy as np
import pytest

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from analytics.reads.reports import ReportWindow, run_report
from analytics.store.clickhouse import to_milliseconds
from analytics.store.rollups import find_stale, refresh_rollups
from tests.support.chicago import CHICAGO

pytestmark = pytest.mark.django_db(databases=["clickhouse"])
SINCE, UNTIL = date(2021, 12, 1), date(2022, 2, 1)
START = datetime(2020, 12, 1, tzinfo=UTC)
DAYS = 430
CELL = h3.latlng_to_cell(41.80, -87.60, 8)
WINDOW = ReportWindow(region="chicago", since=SINCE, until=UNTIL, cells=[CELL], rings=3)


class Told(NamedTuple):
    occurred_at: datetime
    cell: int
    event_type: str
    severity: float


@pytest.fixture
def told(empty_event_table: None) -> list[Told]:
    """Store events of two types, and give them as rows."""
    rng = np.random.default_rng(3)
    return [row for kind in ("arson", "theft") for row in put(rng, kind)]


@pytest.fixture(params=["fresh", "half fresh", "stale"])
def freshness(request: pytest.FixtureRequest, told: list[Told]) -> None:
    """Have all years rolled up, all but one, or none."""
    if request.param != "stale":
        refresh_rollups()
    if request.param == "half fresh":
        put(np.random.default_rng(4), "far away", days=1)
    stale_count = {"fresh": 0, "half fresh": 3, "stale": 9}
    assert len(find_stale()) == stale_count[request.param]
    if request.param == "half fresh":
        told += put(np.random.default_rng(4), "far away", days=1, is_stored=False)


def put(
    rng: np.random.Generator, kind: str, *, days: int = DAYS, is_stored: bool = True
) -> list[Told]:
    count = 1_500
    severity = np.round(rng.exponential(2.0, count), 1)
    severity[::7] = np.nan
    columns = EventColumns(
        occurred_ms=to_milliseconds(START) + rng.integers(0, days * 86_400_000, count),
        lat=rng.choice([41.79, 41.80, 41.81, 41.9], count),
        lon=rng.choice([-87.61, -87.60], count),
        severity=severity,
        event_type=kind,
    )
    if is_stored:
        store_events(columns, grid=CHICAGO, source="test", now=START)
    cells = CHICAGO.cells_of(columns.lat, columns.lon).tolist()
    times = [START.fromtimestamp(ms / 1_000, UTC) for ms in columns.occurred_ms]
    return list(map(Told, times, cells, [kind] * count, severity.tolist()))


def inside(told: list[Told], *, weeks_before: int = 0) -> list[Told]:
    shift = timedelta(weeks=weeks_before)
    first, last = SINCE - shift, UNTIL - shift
    return [row for row in told if first <= row.occurred_at.date() < last]


@pytest.mark.usefixtures("freshness")
def test_hours_are_counted_by_type(told: list[Told]) -> None:
    found = run_report("hourly-counts", WINDOW)

    hours = [
        (int(row.occurred_at.timestamp() // 3_600), row[2]) for row in inside(told)
    ]
    counted = zip(
        (found["hour_ms"] // 3_600_000).tolist(), found["event_type"], strict=True
    )
    assert dict(zip(counted, found["count"].tolist(), strict=True)) == Counter(hours)


@pytest.mark.usefixtures("freshness")
def test_top_cells_come_in_order(told: list[Told]) -> None:
    found = run_report("top-cells", replace(WINDOW, limit=3))

    counts = Counter(row.cell for row in inside(told))
    expected = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]
    assert list(zip(*(found[name].tolist() for name in found), strict=True)) == expected


@pytest.mark.usefixtures("freshness")
def test_trend_sets_days_beside_those_a_year_before(told: list[Told]) -> None:
    found = run_report("trend", WINDOW)

    now = Counter(row.occurred_at.date() for row in inside(told))
    shift = timedelta(weeks=52)
    before = Counter(
        row.occurred_at.date() + shift for row in inside(told, weeks_before=52)
    )
    days = sorted(now.keys() | before.keys())
    assert found["day"].tolist() == days
    assert found["count"].tolist() == [now[day] for day in days]
    assert found["count_year_before"].tolist() == [before[day] for day in days]


@pytest.mark.usefixtures("freshness")
def test_quantiles_are_right_to_one_per_cent(told: list[Told]) -> None:
    found = run_report("severity-quantiles", replace(WINDOW, event_type="theft"))

    thefts = [row.severity for row in inside(told) if row.event_type == "theft"]
    known = np.array(thefts)[~np.isnan(thefts)]
    assert found["event_type"].tolist() == ["theft"]
    assert found["count"].tolist() == [len(thefts)]
    assert found["severity_count"].tolist() == [known.size]
    np.testing.assert_allclose(found["severity_mean"], known.mean(), rtol=1e-12)
    exact = np.quantile(known, [0.5, 0.9, 0.99], method="lower")
    np.testing.assert_allclose(found["severity_quantiles"][0], exact, rtol=0.01)


@pytest.mark.usefixtures("freshness")
def test_neighbourhood_holds_the_cell_and_its_rings(told: list[Told]) -> None:
    far = h3.latlng_to_cell(0.0, 0.0, 8)

    found = run_report("neighbourhood-counts", replace(WINDOW, cells=[CELL, far]))

    ring = set(h3.grid_disk(CELL, 3))
    near = [row for row in inside(told) if row.cell in ring]
    by_cell = zip(*(found[name].tolist() for name in found), strict=True)
    here = sum(row.cell == CELL for row in near)
    assert sorted(by_cell) == sorted([(CELL, here, len(near)), (far, 0, 0)])
    assert len(near) > here
