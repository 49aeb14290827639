"""The product of what is asked is bounded, lower without a key; nothing comes twice."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from riskplatform.api.inputs import refuse_repeats
from riskplatform.kernel.errors import InvalidInputError
from riskplatform.request_limits import COSTS
from scoring.api import features, regions, risk_map, score_snapshot, tiles
from scoring.models import Region
from tests.scoring.features.readers import post_windows
from tests.support.factories import DAY_S, make_client, make_organisation

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

WITH_KEY = {"values": 60, "anonymous_values": 20}
FORMATS = ("json", "geojson", "csv", "arrow")


def score(client: Client, cells: list[int], *, n_scenarios: int) -> Any:
    body = {
        "region": "chicago",
        "time": "2024-01-02T00:00:00Z",
        "horizon_sec": DAY_S,
        "cells": [{"cell_id": cell} for cell in cells],
        "n_scenarios": n_scenarios,
    }
    return client.post("/api/v1/score-snapshot", body, content_type="application/json")


def cells_of(region: Region, count: int) -> list[int]:
    return list(region.cells.values_list("h3", flat=True)[:count])


def test_a_product_over_the_limit_is_refused_with_what_to_do(
    published_forecast: Region, stranger: Client, settings: Settings
) -> None:
    settings.COST_LIMITS = COSTS | WITH_KEY
    answer = score(stranger, cells_of(published_forecast, 3), n_scenarios=10)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "request_too_costly")
    assert problem["detail"] == (
        "3 cells x 10 scenarios make 30 computed values; one request may ask for 20."
        " Ask for fewer cells or fewer scenarios. With an API key it is 60."
    )
    assert [error["pointer"] for error in problem["errors"]] == ["/cells"]
    told = {name: problem[name] for name in ("asked", "limit", "limit_with_key")}
    assert told == {"asked": 30, "limit": 20, "limit_with_key": 60}


def test_a_key_may_ask_for_more_but_not_for_everything(
    published_forecast: Region, admin: Client, settings: Settings
) -> None:
    settings.COST_LIMITS = COSTS | WITH_KEY
    cells = cells_of(published_forecast, 7)
    client = make_client(make_organisation())
    assert score(client, cells[:3], n_scenarios=20).status_code == 200
    assert score(admin, cells[:3], n_scenarios=20).status_code == 200
    refused = score(client, cells, n_scenarios=10)
    assert refused.status_code == 422
    assert "With an API key" not in refused.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        *(f"risk-map?region=chicago&format={form}" for form in FORMATS),
        "risk-map/tiles/8/65/95.mvt?region=chicago",
        "regions/chicago/cells",
        "regions/chicago/cells?format=geojson",
    ],
)
def test_an_answer_that_would_be_too_large_is_refused(
    path: str, published_forecast: Region, stranger: Client, settings: Settings
) -> None:
    settings.COST_LIMITS = COSTS | {"anonymous_megabytes": 0}
    answer = stranger.get(f"/api/v1/{path}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "request_too_costly"
    assert "megabytes" in answer.json()["unit"]


def test_windows_times_cells_are_bounded(
    published_forecast: Region, settings: Settings
) -> None:
    settings.COST_LIMITS = COSTS | {"megabytes": 0}
    answer = post_windows(
        make_client(make_organisation()),
        cell_ids=cells_of(published_forecast, 2),
        window_sizes_sec=[DAY_S],
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/cell_ids"


@pytest.mark.parametrize("form", FORMATS)
def test_no_cell_of_a_map_takes_more_than_it_is_counted_for(
    form: str, published_forecast: Region, stranger: Client
) -> None:
    path = f"/api/v1/risk-map?region=chicago&format={form}"
    size = len(stranger.get(path).content) - len(
        stranger.get(f"{path}&min_p=1").content
    )
    assert size <= risk_map.BYTES_OF_CELL[form] * published_forecast.cells.count()


def test_no_cell_of_a_region_takes_more_than_it_is_counted_for(
    published_forecast: Region, stranger: Client
) -> None:
    count = published_forecast.cells.count()
    listed = stranger.get("/api/v1/regions/chicago/cells").content
    assert len(listed) <= regions.BYTES_OF_CELL * count
    drawn = stranger.get("/api/v1/regions/chicago/cells?format=geojson").content
    assert len(drawn) <= regions.BYTES_OF_POLYGON * count
    tile = stranger.get("/api/v1/risk-map/tiles/10/262/380.mvt?region=chicago")
    assert 0 < len(tile.content) <= tiles.BYTES_OF_CELL * count


def test_no_value_takes_more_than_it_is_counted_for(
    published_forecast: Region, stranger: Client
) -> None:
    cells = cells_of(published_forecast, 20)
    answer = score(stranger, cells, n_scenarios=50)
    assert len(answer.content) <= score_snapshot.BYTES_OF_VALUE * 20 * 50


def test_no_window_takes_more_than_it_is_counted_for(
    published_forecast: Region, no_events: None
) -> None:
    answer = post_windows(
        make_client(make_organisation()),
        cell_ids=cells_of(published_forecast, 20),
        window_sizes_sec=[DAY_S, 7 * DAY_S],
    )
    assert answer.status_code == 200
    assert len(answer.content) <= features.BYTES_OF_WINDOW * 20 * 2


def test_a_cell_that_is_given_twice_is_named(
    published_forecast: Region, stranger: Client
) -> None:
    first, second = cells_of(published_forecast, 2)
    answer = score(stranger, [first, second, second, first], n_scenarios=1)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/cells/2/cell_id", "reason": f"{second} is given twice."}
    ]


def test_a_cell_is_the_same_in_hex_and_as_a_number(
    published_forecast: Region, stranger: Client
) -> None:
    (cell,) = cells_of(published_forecast, 1)
    body = {
        "time": "2024-01-02T00:00:00Z",
        "horizon_sec": DAY_S,
        "cells": [{"cell_id": cell}, {"cell_id": f"{cell:x}"}],
    }
    answer = stranger.post(
        "/api/v1/score-snapshot", body, content_type="application/json"
    )
    assert answer.json()["errors"][0]["pointer"] == "/cells/1/cell_id"


def test_the_cells_of_a_rule_and_of_a_report_are_named_once(
    published_forecast: Region,
) -> None:
    client = make_client(make_organisation())
    (cell,) = cells_of(published_forecast, 1)
    rule = {
        "name": "Twice",
        "region": "chicago",
        "horizon_sec": DAY_S,
        "metric": "p_event",
        "threshold": 0.5,
        "cells": [cell, cell],
    }
    answer = client.post("/api/v1/alert-rules", rule, content_type="application/json")
    assert answer.json()["errors"][0]["pointer"] == "/cells/1"
    report = client.get(
        "/api/v1/reports/neighbourhood-counts?region=chicago&from=2024-01-01"
        f"&to=2024-01-08&cells={cell},{cell}"
    )
    assert report.status_code == 422
    assert report.json()["errors"][0]["pointer"] == "/cells/1"


def test_a_list_of_different_things_is_let_through() -> None:
    refuse_repeats([1, 2, 3], "quantiles")
    with pytest.raises(InvalidInputError, match="2 is given twice"):
        refuse_repeats([1, 2, 2], "quantiles")


def test_a_draw_is_the_same_kept_and_not(
    published_forecast: Region, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = cells_of(published_forecast, 5)[::-1]
    kept = score(stranger, cells, n_scenarios=20).content
    monkeypatch.setattr("scoring.services.forecasts.snapshots.MOST_KEPT_VALUES", 1)
    assert score(stranger, cells, n_scenarios=20).content == kept


def test_a_snapshot_stops_when_its_time_is_up(
    published_forecast: Region, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.services.forecasts.snapshots.MOST_KEPT_VALUES", 1)
    monkeypatch.setattr("perf.deadlines.remaining_s", lambda: 0.0)
    answer = score(stranger, cells_of(published_forecast, 1), n_scenarios=5)
    assert answer.status_code == 503
    assert answer.json()["code"] == "timed_out"
