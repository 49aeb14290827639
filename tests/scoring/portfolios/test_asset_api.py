"""Assets over the API: made, placed, listed, changed, deleted."""

from typing import Any

import h3.api.basic_int as h3
import msgspec
import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation
from scoring.api.assets import AssetDetail
from scoring.models import Asset, Portfolio
from tests.support.factories import (
    CENTRE,
    RESOLUTION,
    make_asset,
    make_portfolio,
    make_region,
    make_vulnerability,
)

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

LAT, LON = CENTRE
BODY = {"reference": "a-1", "lat": LAT, "lon": LON, "value": "100.5"}


@pytest.fixture
def portfolio(acme: Organisation) -> Portfolio:
    make_region()
    return make_portfolio(acme)


@pytest.fixture
def address(portfolio: Portfolio) -> str:
    return f"/api/v1/portfolios/{portfolio.pk}/assets"


def test_makes_an_asset_and_places_it(
    client: Client, address: str, acme: Organisation
) -> None:
    make_region("secret", is_public=False, owner=acme)
    make_vulnerability(acme)
    body = {**BODY, "deductible": 5, "limit": "80", "vulnerability": "brick"}
    response = client.post(address, body, "application/json")
    assert response.status_code == 201
    made = msgspec.json.decode(response.content, type=AssetDetail)
    assert (str(made.value), str(made.deductible)) == ("100.50", "5.00")
    assert (str(made.limit), made.currency, made.vulnerability) == (
        *("80.00", "USD", "brick"),
    )
    # A key without scores:read does not learn of regions that are not public.
    [place] = made.places
    cell = h3.latlng_to_cell(LAT, LON, RESOLUTION)
    assert (place.region, place.cell_id, place.cell_hex) == (
        *("chicago", str(cell), f"{cell:x}"),
    )
    assert client.get(f"{address}/{made.id}").json() == response.json()


def test_a_reference_is_given_once_in_a_portfolio(client: Client, address: str) -> None:
    assert client.post(address, BODY, "application/json").status_code == 201
    again = client.post(address, BODY, "application/json")
    assert (again.status_code, again.json()["code"]) == (409, "asset_reference_taken")


def test_an_asset_outside_every_region_is_kept_and_found(
    client: Client, address: str, portfolio: Portfolio
) -> None:
    make_asset(portfolio, "near")
    make_asset(portfolio, "far", lat=0.0, lon=0.0)
    for query, expected in (
        ({"outside": "true"}, ["far"]),
        ({"outside": "false"}, ["near"]),
        ({"region": "chicago"}, ["near"]),
        ({"reference": "far"}, ["far"]),
        ({"reference": "none"}, []),
    ):
        rows = client.get(address, query).json()["results"]
        assert [row["reference"] for row in rows] == expected
        assert [row["is_outside"] for row in rows] == [r == "far" for r in expected]


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_the_same_for_any_number_of_assets(
    count: int,
    client: Client,
    acme: Organisation,
    address: str,
    django_assert_num_queries: Any,
) -> None:
    full = make_portfolio(acme, name="Full", n_assets=count)
    address = f"/api/v1/portfolios/{full.pk}/assets"
    client.get(address)
    # The key, the portfolio, the assets with their curves, and their places.
    with django_assert_num_queries(4):
        assert len(client.get(address).json()["results"]) == count


def test_a_change_of_coordinates_moves_the_place(
    client: Client, address: str, portfolio: Portfolio
) -> None:
    asset = make_asset(portfolio)
    one = f"{address}/{asset.pk}"
    moved = client.patch(one, {"lat": 0, "lon": 0}, "application/json").json()
    assert (moved["places"], moved["is_outside"]) == ([], True)
    portfolio.refresh_from_db()
    assert (portfolio.outside_count, portfolio.revision) == (1, 3)
    back = client.patch(one, {"lat": LAT, "lon": LON}, "application/json").json()
    assert len(back["places"]) == 1
    assert Asset.objects.get().places.count() == 1


def test_null_takes_a_limit_and_a_curve_away(
    client: Client, address: str, portfolio: Portfolio
) -> None:
    asset = make_asset(portfolio, vulnerability=make_vulnerability(), limit="7.00")
    one = f"{address}/{asset.pk}"
    body = {"limit": None, "vulnerability": None, "value": "0.005"}
    changed = client.patch(one, body, "application/json").json()
    assert (changed["limit"], changed["vulnerability"]) == (None, None)
    assert changed["value"] == "0.00"


def test_a_change_that_changes_nothing_begins_no_revision(
    client: Client, address: str, portfolio: Portfolio
) -> None:
    asset = make_asset(portfolio)
    response = client.patch(
        f"{address}/{asset.pk}", {"reference": "a-0"}, "application/json"
    )
    assert response.status_code == 200
    portfolio.refresh_from_db()
    assert portfolio.revision == 2


def test_deletes_an_asset(client: Client, address: str, portfolio: Portfolio) -> None:
    asset = make_asset(portfolio)
    assert client.delete(f"{address}/{asset.pk}").status_code == 204
    assert client.get(f"{address}/{asset.pk}").json()["code"] == "asset_not_found"
    portfolio.refresh_from_db()
    assert (portfolio.asset_count, int(portfolio.total_value)) == (0, 0)
