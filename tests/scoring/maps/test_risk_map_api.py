from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client

from scoring.api.risk_map import RiskMap
from scoring.models import Region
from tests.support.factories import DAY_S, ISSUED_FOR, make_forecast, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def get(client: Client, **query: Any) -> Any:
    return client.get("/api/v1/risk-map", query)


def test_gives_every_cell_of_the_newest_forecast(
    published_forecast: Region, stranger: Client
) -> None:
    make_forecast(
        published_forecast, issued_for=ISSUED_FOR + timedelta(hours=1), scale=2.0
    )
    risk_map = msgspec.json.decode(
        get(stranger, region="chicago").content, type=RiskMap
    )
    assert risk_map.time == ISSUED_FOR + timedelta(hours=1)
    assert risk_map.horizon_sec == DAY_S
    assert len(risk_map.aggregated) == 37
    assert all(c.q05 < c.q50 < c.q95 for c in risk_map.aggregated)
    assert all(c.q05 < c.p_event < c.q95 for c in risk_map.aggregated)
    assert all(c.mean_risk == c.p_event for c in risk_map.aggregated)
    assert all(int(c.cell_hex, 16) == int(c.cell_id) for c in risk_map.aggregated)


def test_a_time_in_the_past_gives_what_was_said_then(
    published_forecast: Region, stranger: Client
) -> None:
    later = ISSUED_FOR + timedelta(hours=1)
    make_forecast(published_forecast, issued_for=later)
    asked = (later - timedelta(minutes=1)).isoformat()
    answer = get(stranger, region="chicago", time=asked).json()
    assert answer["time"] == "2024-01-01T00:00:00Z"


def test_a_longer_horizon_is_riskier_in_every_cell(
    published_forecast: Region, stranger: Client
) -> None:
    day = get(stranger, region="chicago").json()["aggregated"]
    week = get(stranger, region="chicago", horizon_sec=7 * DAY_S).json()["aggregated"]
    pairs = zip(day, week, strict=True)
    assert all(one["p_event"] < seven["p_event"] for one, seven in pairs)


def test_leaves_out_cells_below_the_least_probability(
    published_forecast: Region, stranger: Client
) -> None:
    cells = get(stranger, region="chicago", min_p=0.1).json()["aggregated"]
    assert 0 < len(cells) < 37
    assert all(cell["p_event"] >= 0.1 for cell in cells)


def test_a_box_keeps_the_cells_whose_centre_is_inside(
    published_forecast: Region, stranger: Client
) -> None:
    cell = published_forecast.cells.all()[5]
    box = f"{cell.lon - 1e-4},{cell.lat - 1e-4},{cell.lon + 1e-4},{cell.lat + 1e-4}"
    cells = get(stranger, region="chicago", bbox=box).json()["aggregated"]
    assert [row["cell_id"] for row in cells] == [str(cell.h3)]


def test_draws_polygons_as_geojson(
    published_forecast: Region, stranger: Client
) -> None:
    response = get(stranger, region="chicago", format="geojson")
    assert response.headers["Content-Type"] == "application/geo+json"
    collection = response.json()
    assert collection["type"] == "FeatureCollection"
    assert collection["time"] == "2024-01-01T00:00:00Z"
    told = collection["region"], collection["model_version"], collection["horizon_sec"]
    plain = get(stranger, region="chicago").json()
    assert told == ("chicago", plain["model_version"], DAY_S)
    feature = collection["features"][0]
    assert feature["properties"] == plain["aggregated"][0]
    assert feature["geometry"]["type"] == "Polygon"
    assert feature["properties"]["p_event"] > 0


def test_answers_304_to_whoever_has_it_already(
    published_forecast: Region, stranger: Client
) -> None:
    etag = get(stranger, region="chicago").headers["ETag"]
    again = stranger.get(
        "/api/v1/risk-map", {"region": "chicago"}, headers={"If-None-Match": etag}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("rings", [1, 5])
def test_costs_three_queries_for_any_number_of_cells(
    rings: int, stranger: Client, django_assert_num_queries: Any
) -> None:
    make_forecast(make_region(rings=rings))
    # The region, its newest forecast with the model version, and the arrays.
    with django_assert_num_queries(3):
        assert get(stranger, region="chicago").status_code == 200


def test_a_region_that_is_not_public_is_absent_for_strangers(
    stranger: Client, admin: Client
) -> None:
    make_forecast(make_region("secret", is_public=False))
    assert get(stranger, region="secret").status_code == 404
    assert get(admin, region="secret").status_code == 200


@pytest.mark.parametrize(
    ("query", "pointer", "status"),
    [
        ({}, "", 422),
        ({"region": "chicago", "horizon_sec": "soon"}, "/horizon_sec", 422),
        ({"region": "chicago", "horizon_sec": "-1"}, "/horizon_sec", 422),
        ({"region": "chicago", "min_p": "nan"}, "/min_p", 422),
        ({"region": "chicago", "min_p": "2"}, "/min_p", 422),
        ({"region": "chicago", "time": "2024-01-01T00:00:00"}, "/time", 422),
        ({"region": "chicago", "bbox": "1,2,3"}, "/bbox", 422),
        ({"region": "chicago", "bbox": "1,nan,3,4"}, "/bbox", 422),
        ({"region": "chicago", "colour": "red"}, "/colour", 422),
        ({"region": "../etc"}, "/region", 422),
        ({"region": ["chicago", "lyon"]}, "/region", 422),
    ],
)
def test_refuses_nonsense_with_a_pointer(
    query: dict[str, Any],
    pointer: str,
    status: int,
    published_forecast: Region,
    stranger: Client,
) -> None:
    response = get(stranger, **query)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"] == pointer


def test_says_which_horizons_there_are(
    published_forecast: Region, stranger: Client
) -> None:
    response = get(stranger, region="chicago", horizon_sec=60)
    assert response.status_code == 404
    assert response.json()["code"] == "forecast_not_found"
    assert response.json()["horizons"] == [DAY_S, 7 * DAY_S]
