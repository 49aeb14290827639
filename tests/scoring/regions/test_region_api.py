from typing import Any

import msgspec
import pytest
from django.test import Client

from riskplatform.api.paging import Page
from scoring.api.regions import RegionSummary
from scoring.models import Region
from tests.support.factories import make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def test_lists_public_regions_to_strangers_and_all_to_staff(
    stranger: Client, admin: Client
) -> None:
    make_region("chicago")
    make_region("secret", is_public=False)
    seen = msgspec.json.decode(
        stranger.get("/api/v1/regions").content, type=Page[RegionSummary]
    )
    assert [region.slug for region in seen.results] == ["chicago"]
    everything = admin.get("/api/v1/regions").json()["results"]
    assert [region["slug"] for region in everything] == ["chicago", "secret"]


def test_pages_through_regions(stranger: Client) -> None:
    for slug in ("a", "b", "c"):
        make_region(slug, rings=0)
    first = stranger.get("/api/v1/regions", {"limit": 2}).json()
    assert [region["slug"] for region in first["results"]] == ["a", "b"]
    second = stranger.get("/api/v1/regions", {"after": first["next"]}).json()
    assert [region["slug"] for region in second["results"]] == ["c"]
    assert second["next"] is None


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_one_query_for_any_number_of_regions(
    count: int, stranger: Client, django_assert_num_queries: Any
) -> None:
    for number in range(count):
        make_region(f"region-{number}", rings=0)
    with django_assert_num_queries(1):
        assert len(stranger.get("/api/v1/regions").json()["results"]) == count


def test_describes_one_region(stranger: Client) -> None:
    make_region(rings=2)
    answer = stranger.get("/api/v1/regions/chicago").content
    region = msgspec.json.decode(answer, type=RegionSummary)
    assert (region.slug, region.cell_count, region.resolution) == ("chicago", 19, 8)


def test_gives_cells_as_numbers_and_as_polygons(stranger: Client) -> None:
    region = make_region(rings=1)
    cells = stranger.get("/api/v1/regions/chicago/cells").json()["cells"]
    drawn = stranger.get("/api/v1/regions/chicago/cells", {"format": "geojson"}).json()
    assert (drawn["type"], drawn["region"]) == ("FeatureCollection", "chicago")
    assert drawn["features"][0]["properties"] == cells[0]
    ids = list(region.cells.values_list("h3", flat=True))
    assert [int(cell["cell_id"]) for cell in cells] == ids
    assert [feature["id"] for feature in drawn["features"]] == [f"{i:x}" for i in ids]
    ring = drawn["features"][0]["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert len(ring) == 7


def test_gives_the_boundary_or_an_empty_collection(stranger: Client) -> None:
    region = make_region(rings=0)
    empty = {"type": "FeatureCollection", "features": []}
    assert stranger.get("/api/v1/regions/chicago/boundary").json() == empty
    boundary = {"type": "FeatureCollection", "features": [{"type": "Feature"}]}
    Region.objects.filter(pk=region.pk).update(boundary=boundary)
    assert stranger.get("/api/v1/regions/chicago/boundary").json() == boundary


@pytest.mark.parametrize("part", ["", "/cells", "/boundary"])
def test_a_region_that_may_not_be_seen_is_absent(
    part: str, stranger: Client, admin: Client
) -> None:
    make_region("secret", is_public=False)
    response = stranger.get(f"/api/v1/regions/secret{part}")
    assert response.status_code == 404
    assert response.json()["code"] == "region_not_found"
    assert admin.get(f"/api/v1/regions/secret{part}").status_code == 200
