"""Risk by region and hour: what was forecast stands beside what happened."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from django.test import Client

from analytics.errors import EventStoreUnavailableError
from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from riskplatform.api.keys.models import Organisation, Scope
from scoring.models import Region
from scoring.selectors.metrics_report import MetricsReport
from scoring.selectors.regions import get_region_grid
from tests.support.factories import (
    CENTRE,
    DAY_S,
    make_client,
    make_forecast,
    make_model_version,
    make_region,
)

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
ADDRESS = "/api/v1/metrics"
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def read(client: Client, **query: str | int) -> MetricsReport:
    answer = client.get(ADDRESS, query)
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content, type=MetricsReport)


def happen(region: Region, *minutes: int) -> None:
    """Store events at the centre, minutes from noon."""
    moments = [NOON + timedelta(minutes=minute) for minute in minutes]
    columns = EventColumns(
        occurred_ms=np.array([int(1_000 * t.timestamp()) for t in moments]),
        lat=np.full(len(moments), CENTRE[0]),
        lon=np.full(len(moments), CENTRE[1]),
    )
    now = NOON + timedelta(days=1)
    store_events(columns, grid=get_region_grid(region), source="test", now=now)


def test_hours_tell_what_was_forecast_and_what_happened(
    client: Client, region: Region
) -> None:
    version = make_model_version(region)
    forecasts = [
        make_forecast(
            region,
            model_version=version,
            issued_for=NOON + timedelta(minutes=minute),
            scale=scale,
        )
        for minute, scale in ((0, 1.0), (30, 2.0))
    ]
    happen(region, 1, 59, -30, -90, 90)

    report = read(client)

    rows = [
        (row.hour.hour, row.forecast_count, row.observed_count)
        for row in report.results
    ]
    assert rows == [(12, 2, 2), (11, 0, 1), (10, 0, 1)]
    mean = sum(forecast.expected_count for forecast in forecasts) / 2
    assert report.results[0].expected_per_hour == pytest.approx(mean * 3_600 / DAY_S)
    assert report.results[1].expected_per_hour is None
    assert report.until == NOON + timedelta(hours=1)


def test_regions_stand_side_by_side_or_alone(
    client: Client, region: Region, acme: Organisation
) -> None:
    other = make_region("other", is_public=False, owner=acme)
    unseen = make_region("unseen", is_public=False)
    for each in (region, other, unseen):
        make_forecast(each, issued_for=NOON)
    assert [row.region for row in read(client).results] == ["chicago", "other"]
    assert [row.region for row in read(client, region="other").results] == ["other"]


def test_the_report_ends_when_asked_and_has_so_many_rows(
    client: Client, region: Region
) -> None:
    make_forecast(region, issued_for=NOON)
    happen(region, -30, -90, -150)
    ended = read(client, until=(NOON - timedelta(minutes=60)).isoformat())
    assert [row.hour.hour for row in ended.results] == [11, 10, 9]
    assert [row.hour.hour for row in read(client, limit=2).results] == [12, 11]


def break_store(*_: Any, **__: Any) -> None:
    raise EventStoreUnavailableError("ClickHouse does not answer. Try again soon.")


def test_without_the_event_store_the_forecasts_stand(
    client: Client, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_forecast(region, issued_for=NOON)
    monkeypatch.setattr("scoring.selectors.metrics_report.count_by_hour", break_store)
    report = read(client)
    (row,) = report.results
    assert (row.forecast_count, row.observed_count) == (1, None)
    assert report.error is not None
    assert report.error.code == "event_store_unavailable"


def test_a_platform_without_forecasts_has_no_rows(client: Client) -> None:
    assert read(client).results == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *(("limit=0", 422), ("limit=1001", 422), ("until=x", 422), ("a=1", 422)),
        *(("region=nowhere", 404), ("until=0001-01-01T00:00:00Z", 422)),
        ("until=9999-12-31T23:59:59Z", 422),
        ("until=1900-01-01T00:00:00Z", 200),
    ],
)
def test_a_query_that_does_not_fit_is_refused(
    query: str, status: int, client: Client, region: Region
) -> None:
    assert client.get(f"{ADDRESS}?{query}").status_code == status


def test_reading_scores_is_what_it_takes(acme: Organisation) -> None:
    writer = make_client(acme, scopes=[Scope.ALERTS_WRITE])
    assert writer.get(ADDRESS).status_code == 403
    assert Client().get(ADDRESS).status_code == 401
