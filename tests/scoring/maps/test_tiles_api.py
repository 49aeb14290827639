"""The risk map as vector tiles."""

from typing import Any

import h3.api.basic_int as h3
import pytest
from django.test import Client

from scoring.models import Region
from scoring.services.regions import define_region
from tests.scoring.maps.tile_reading import ReadLayer, read_tile
from tests.support.factories import DAY_S, make_forecast, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
# The tile of zoom 8 that holds Chicago.
TILE = "8/65/95"


def get(client: Client, tile: str = TILE, **query: Any) -> Any:
    return client.get(
        f"/api/v1/risk-map/tiles/{tile}.mvt", {"region": "chicago"} | query
    )


def layer_of(response: Any) -> ReadLayer:
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/vnd.mapbox-vector-tile"
    (layer,) = read_tile(response.content)
    return layer


def test_a_tile_holds_the_cells_with_the_figures_of_the_map(
    published_forecast: Region, stranger: Client
) -> None:
    layer = layer_of(get(stranger))
    assert (layer.name, layer.extent) == ("cells", 4_096)
    on_map = stranger.get("/api/v1/risk-map", {"region": "chicago"}).json()
    names = ("cell_hex", "p_event", "q05", "q50", "q95")
    assert {f.feature_id: f.properties for f in layer.features} == {
        int(row["cell_id"]): {name: row[name] for name in names}
        for row in on_map["aggregated"]
    }


def test_the_middle_of_each_polygon_is_where_the_cell_is(
    published_forecast: Region, stranger: Client
) -> None:
    (tile_x, tile_y, zoom), scale = (65, 95, 8), 2**8
    for feature in layer_of(get(stranger)).features:
        (ring,) = feature.rings
        x = (tile_x + sum(px for px, _ in ring) / len(ring) / 4_096) / scale
        assert zoom == 8
        lat, lon = h3.cell_to_latlng(feature.feature_id)
        assert x * 360 - 180 == pytest.approx(lon, abs=0.002)
        assert min(py for _, py in ring) > 0
        assert tile_y == 95
        assert 41 < lat < 43


def test_the_horizon_and_the_least_probability_are_heeded(
    published_forecast: Region, stranger: Client
) -> None:
    week = layer_of(get(stranger, horizon_sec=7 * DAY_S)).features
    likely = layer_of(get(stranger, min_p=0.1)).features
    assert len(week) == 37
    assert 0 < len(likely) < 37
    assert all(feature.properties["p_event"] >= 0.1 for feature in likely)


@pytest.mark.parametrize("tile", ["8/66/95", "8/0/0", "22/0/0"])
def test_a_tile_without_cells_is_204(
    tile: str, published_forecast: Region, stranger: Client
) -> None:
    response = get(stranger, tile)
    assert (response.status_code, response.content) == (204, b"")


def test_a_cell_across_the_antimeridian_is_on_both_sides(stranger: Client) -> None:
    fiji = h3.latlng_to_cell(-17.0, 179.95, 3)
    definition = Region(
        slug="fiji", name="Fiji", timezone="Pacific/Fiji", resolution=3, is_public=True
    )
    make_forecast(define_region(definition, cells=[fiji]))
    ends = []
    for x in (0, 15):
        (feature,) = layer_of(get(stranger, f"4/{x}/8", region="fiji")).features
        assert feature.feature_id == fiji
        ends.append([px for px, _ in feature.rings[0]])
    assert min(ends[0]) == -64
    assert max(ends[1]) == 4_096 + 64


def test_whatever_is_accepted_a_tile_is_a_tile(
    published_forecast: Region, stranger: Client
) -> None:
    for accept in ("application/json", "image/webp,*/*", "application/x-protobuf"):
        layer_of(
            stranger.get(
                f"/api/v1/risk-map/tiles/{TILE}.mvt",
                {"region": "chicago"},
                headers={"Accept": accept},
            )
        )


def test_answers_304_to_whoever_has_the_tile(
    published_forecast: Region, stranger: Client
) -> None:
    first = get(stranger)
    again = stranger.get(
        f"/api/v1/risk-map/tiles/{TILE}.mvt",
        {"region": "chicago"},
        headers={"If-None-Match": first.headers["ETag"]},
    )
    assert again.status_code == 304


@pytest.mark.parametrize("rings", [1, 5])
def test_costs_three_queries_for_any_number_of_cells(
    rings: int, stranger: Client, django_assert_num_queries: Any
) -> None:
    make_forecast(make_region(rings=rings))
    # The region, its newest forecast with the model version, and the arrays.
    with django_assert_num_queries(3):
        assert get(stranger).status_code == 200


@pytest.mark.parametrize(
    ("tile", "query", "pointer"),
    [
        ("23/0/0", {}, "/z"),
        (f"{10**40}/0/0", {}, "/z"),
        ("1/2/0", {}, "/x"),
        (f"1/0/{10**40}", {}, "/y"),
        (TILE, {"horizon_sec": "soon"}, "/horizon_sec"),
        (TILE, {"min_p": "nan"}, "/min_p"),
        (TILE, {"region": "no region"}, "/region"),
        (TILE, {"time": "2024-01-01T00:00:00"}, "/time"),
        (TILE, {"colour": "red"}, "/colour"),
        (TILE, {"format": "json"}, "/format"),
    ],
)
def test_refuses_nonsense_with_a_pointer(
    tile: str,
    query: dict[str, str],
    pointer: str,
    published_forecast: Region,
    stranger: Client,
) -> None:
    response = get(stranger, tile, **query)
    assert response.status_code == (406 if pointer == "/format" else 422)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("tile", ["-1/0/0", "1/0/x", "1/0"])
def test_an_address_that_is_no_tile_is_404(
    tile: str, published_forecast: Region, stranger: Client
) -> None:
    assert get(stranger, tile).status_code == 404


def test_a_region_that_is_not_public_is_absent_for_strangers(
    stranger: Client, admin: Client
) -> None:
    make_forecast(make_region("secret", is_public=False))
    assert get(stranger, region="secret").status_code == 404
    assert get(admin, region="secret").status_code == 200
