"""Portfolios over the API: made, listed, changed, deleted."""

from typing import Any

import msgspec
import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation
from riskplatform.api.paging import Page
from scoring.api.portfolios import PortfolioDetail
from scoring.models import Asset, Portfolio
from tests.support.factories import make_asset, make_portfolio, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

ADDRESS = "/api/v1/portfolios"


def test_makes_a_portfolio(client: Client, acme: Organisation) -> None:
    response = client.post(
        ADDRESS, {"name": "Shops", "currency": "EUR"}, "application/json"
    )
    assert response.status_code == 201
    made = msgspec.json.decode(response.content, type=PortfolioDetail)
    assert (made.name, made.currency, made.revision) == ("Shops", "EUR", 1)
    assert (made.asset_count, int(made.total_value), made.outside.count) == (0, 0, 0)
    assert Portfolio.objects.get().organisation == acme


def test_a_name_is_given_once_in_an_organisation(
    client: Client, other_client: Client
) -> None:
    body = {"name": "Shops", "currency": "EUR"}
    assert client.post(ADDRESS, body, "application/json").status_code == 201
    again = client.post(ADDRESS, body, "application/json")
    assert (again.status_code, again.json()["code"]) == (409, "portfolio_name_taken")
    assert other_client.post(ADDRESS, body, "application/json").status_code == 201


def test_a_key_of_idempotency_makes_one_portfolio(client: Client) -> None:
    body = {"name": "Shops", "currency": "EUR"}
    headers = {"Idempotency-Key": "k-1"}
    first, second = (
        client.post(ADDRESS, body, "application/json", headers=headers)
        for _ in range(2)
    )
    assert first.content == second.content
    assert second["Idempotency-Replayed"] == "true"
    assert Portfolio.objects.count() == 1


def test_lists_by_name_and_currency_page_by_page(
    client: Client, acme: Organisation
) -> None:
    for name, currency in (("North", "EUR"), ("Northeast", "EUR"), ("South", "USD")):
        make_portfolio(acme, name=name, currency=currency)
    found = client.get(f"{ADDRESS}?name=nort&limit=1")
    first = msgspec.json.decode(found.content, type=Page[PortfolioDetail])
    second = client.get(ADDRESS, {"name": "nort", "after": str(first.next)}).json()
    names = [row["name"] for row in second["results"]]
    assert {first.results[0].name, *names} == {"North", "Northeast"}
    assert second["next"] is None
    [dollars] = client.get(ADDRESS, {"currency": "USD"}).json()["results"]
    assert dollars["name"] == "South"


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_the_same_for_any_number_of_portfolios(
    count: int, client: Client, acme: Organisation, django_assert_num_queries: Any
) -> None:
    for number in range(count):
        make_portfolio(acme, name=f"p-{number}", n_assets=1)
    client.get(ADDRESS)
    # The key, and the portfolios with their totals.
    with django_assert_num_queries(2):
        assert len(client.get(ADDRESS).json()["results"]) == count


def test_gives_money_as_text_and_what_lies_outside(
    client: Client, acme: Organisation
) -> None:
    make_region()
    portfolio = make_portfolio(acme, n_assets=2, value="10.50")
    make_asset(portfolio, "far", lat=0.0, lon=0.0, value="1234567890123.45")
    body = client.get(f"{ADDRESS}/{portfolio.pk}").json()
    assert (body["asset_count"], body["total_value"]) == (3, "1234567890144.45")
    assert body["outside"] == {"count": 1, "value": "1234567890123.45"}
    assert body["revision"] == 4


def test_changes_the_name_and_while_empty_the_currency(
    client: Client, acme: Organisation
) -> None:
    portfolio = make_portfolio(acme)
    address = f"{ADDRESS}/{portfolio.pk}"
    changed = client.patch(address, {"name": "Inns"}, "application/json").json()
    assert (changed["name"], changed["currency"]) == ("Inns", "USD")
    changed = client.patch(address, {"currency": "EUR"}, "application/json").json()
    assert (changed["name"], changed["currency"]) == ("Inns", "EUR")
    make_asset(portfolio)
    refused = client.patch(address, {"currency": "GBP"}, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "currency_in_use")


def test_deletes_a_portfolio_with_its_assets(
    client: Client, acme: Organisation
) -> None:
    make_region()
    gone = make_portfolio(acme, n_assets=3)
    kept = make_portfolio(acme, name="Kept", n_assets=2)
    assert client.delete(f"{ADDRESS}/{gone.pk}").status_code == 204
    assert client.get(f"{ADDRESS}/{gone.pk}").status_code == 404
    assert Asset.objects.count() == Asset.objects.filter(portfolio=kept).count() == 2
