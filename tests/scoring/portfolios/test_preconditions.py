"""ETags name states: a GET need not repeat one, and a write may insist on one."""

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation
from scoring.models import Asset, Portfolio
from scoring.services.regions import add_cells
from tests.support.factories import make_asset, make_portfolio, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@pytest.fixture
def addresses(acme: Organisation) -> list[str]:
    portfolio = make_portfolio(acme)
    asset = make_asset(portfolio)
    one = f"/api/v1/portfolios/{portfolio.pk}"
    return [one, f"{one}/assets/{asset.pk}"]


def test_a_state_that_is_known_is_not_sent_again(
    client: Client, addresses: list[str]
) -> None:
    for address in [*addresses, "/api/v1/portfolios", f"{addresses[0]}/assets"]:
        tag = client.get(address)["ETag"]
        again = client.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("method", ["patch", "delete"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_write_to_another_state_is_refused(
    method: str, which: int, client: Client, addresses: list[str]
) -> None:
    address = addresses[which]
    old = client.get(address)["ETag"]
    client.patch(address, {"name": "Changed"}, "application/json")
    for stale in (old, '"other"', "rubbish"):
        headers = {"If-Match": stale}
        send = client.patch if method == "patch" else client.delete
        response = send(address, {}, "application/json", headers=headers)
        assert response.status_code == 412
        assert response.json()["code"] == "precondition_failed"
    assert (Portfolio.objects.count(), Asset.objects.count()) == (1, 1)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_write_to_the_state_that_was_seen_is_made(
    form: str, which: int, client: Client, addresses: list[str]
) -> None:
    address = addresses[which]
    tag = client.get(address)["ETag"]
    headers = {"If-Match": form.format(tag)}
    changed = client.patch(
        address, {"name": "New"}, "application/json", headers=headers
    )
    assert (changed.status_code, changed.json()["name"]) == (200, "New")
    assert changed["ETag"] == client.get(address)["ETag"] != tag
    headers = {"If-Match": changed["ETag"]}
    assert client.delete(address, headers=headers).status_code == 204


def test_an_asset_that_gets_a_place_is_in_another_state(
    client: Client, addresses: list[str]
) -> None:
    before = [client.get(address)["ETag"] for address in addresses]
    region = make_region()
    after = [client.get(address)["ETag"] for address in addresses]
    assert [old == new for old, new in zip(before, after, strict=True)] == [
        False,
        False,
    ]
    add_cells(region, [])
    assert [client.get(address)["ETag"] for address in addresses] == after
