"""Assets have a place in every region that has their cell, whichever came first."""

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskplatform.api.keys.models import Organisation
from scoring.models import Asset, AssetPlace, Portfolio, Region
from scoring.selectors import placement
from scoring.selectors.placement import find_places
from scoring.services.portfolios.asset_rows import place_again
from scoring.services.regions import add_cells, define_region
from tests.support.factories import CENTRE, make_asset, make_portfolio, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

EDGES = [(89.9, 10.0), (-90.0, 0.0), (0.0, 179.999), (0.0, -179.999), (51.5, -0.1)]


def region_around(slug: str, lat: float, lon: float, *, resolution: int) -> Region:
    definition = Region(slug=slug, name=slug, timezone="UTC", resolution=resolution)
    cells = h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), 1)
    return define_region(definition, cells=cells)


def totals(portfolio: Portfolio) -> tuple[int, ...]:
    found = Portfolio.objects.get(pk=portfolio.pk)
    return (
        *(found.asset_count, int(found.total_value)),
        *(found.outside_count, int(found.outside_value)),
    )


def test_a_new_region_places_assets_that_were_there(acme: Organisation) -> None:
    portfolio = make_portfolio(acme)
    inside = make_asset(portfolio, "in", value="7")
    make_asset(portfolio, "out", lat=0.0, lon=0.0, value="5")
    assert totals(portfolio) == (2, 12, 2, 12)
    region = make_region(rings=1)
    [place] = AssetPlace.objects.all()
    assert (place.asset, place.region) == (inside, region)
    assert place.h3 == h3.latlng_to_cell(*CENTRE, region.resolution)
    assert totals(portfolio) == (2, 12, 1, 5)
    portfolio.refresh_from_db()
    assert portfolio.revision == 4


def test_a_region_that_grows_places_what_it_reaches_once(acme: Organisation) -> None:
    region = make_region(rings=0)
    portfolio = make_portfolio(acme, n_assets=7)
    assert totals(portfolio)[2] == 6
    ring = h3.grid_disk(h3.latlng_to_cell(*CENTRE, region.resolution), 1)
    add_cells(region, ring)
    add_cells(region, ring)
    assert totals(portfolio) == (7, 7_000, 0, 0)
    assert AssetPlace.objects.count() == 7


def test_growth_elsewhere_begins_no_revision(acme: Organisation) -> None:
    portfolio = make_portfolio(acme, n_assets=1)
    region_around("london", 51.5, -0.1, resolution=5)
    before = portfolio.revision
    portfolio.refresh_from_db()
    assert portfolio.revision == before


@pytest.mark.parametrize(("lat", "lon"), EDGES)
@pytest.mark.parametrize("resolution", [0, 3, 7])
def test_poles_and_the_antimeridian_are_no_exception(
    lat: float, lon: float, resolution: int, acme: Organisation
) -> None:
    portfolio = make_portfolio(acme)
    make_asset(portfolio, lat=lat, lon=lon)
    region = region_around("edge", lat, lon, resolution=resolution)
    assert totals(portfolio)[2] == 0
    place_again(portfolio)
    [place] = AssetPlace.objects.all()
    assert (place.region, place.h3) == (region, h3.latlng_to_cell(lat, lon, resolution))


@pytest.mark.parametrize("looked_up", [0, 10_000])
def test_cells_are_found_in_either_way(
    looked_up: int, acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "MAX_LOOKED_UP", looked_up)
    make_region("a", rings=1)
    make_region("b", rings=2)
    cells = h3.grid_disk(h3.latlng_to_cell(*CENTRE, 8), 3)
    points = np.array([h3.cell_to_latlng(cell) for cell in cells])
    places = find_places(points[:, 0], points[:, 1])
    slugs = dict(Region.objects.values_list("pk", "slug"))
    found = [slugs[pk] for pk in places.region_id.tolist()]
    assert (found.count("a"), found.count("b")) == (7, 19)
    assert [cells[row] for row in places.row.tolist()] == places.cell.tolist()


@given(data=st.data())
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_growing_step_by_step_equals_placing_at_once(
    data: st.DataObject, acme: Organisation
) -> None:
    Region.objects.all().delete()
    Portfolio.objects.all().delete()
    ring = h3.grid_disk(h3.latlng_to_cell(*CENTRE, 8), 2)
    region = make_region(rings=0)
    portfolio = make_portfolio(acme, n_assets=25)
    for _ in range(3):
        add_cells(region, data.draw(st.lists(st.sampled_from(ring), max_size=6)))
    grown = set(AssetPlace.objects.values_list("asset", "h3"))
    counted = totals(portfolio)
    place_again(portfolio)
    assert set(AssetPlace.objects.values_list("asset", "h3")) == grown
    assert totals(portfolio) == counted
    assert Asset.objects.outside().count() == counted[2]
