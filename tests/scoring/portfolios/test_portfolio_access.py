"""Who may do what with portfolios: every route, as a stranger and as others."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from riskplatform.api.keys.models import Membership, Organisation, Scope
from tests.support.factories import (
    make_asset,
    make_client,
    make_organisation,
    make_portfolio,
    make_vulnerability,
)

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

READS = (
    "{p}",
    "{p}/{id}",
    "{p}/{id}/assets",
    "{p}/{id}/assets/{asset}",
    "{v}",
    "{v}/own",
)
WRITES = (
    ("post", "{p}"),
    ("patch", "{p}/{id}"),
    ("delete", "{p}/{id}"),
    ("post", "{p}/{id}/assets"),
    ("post", "{p}/{id}/assets/import"),
    ("patch", "{p}/{id}/assets/{asset}"),
    ("delete", "{p}/{id}/assets/{asset}"),
    ("post", "{v}"),
    ("delete", "{v}/own"),
)
REQUESTS = [("get", route) for route in READS] + list(WRITES)


@pytest.fixture
def parts(acme: Organisation) -> dict[str, Any]:
    portfolio = make_portfolio(acme)
    make_vulnerability(acme, slug="own")
    return {
        "p": "/api/v1/portfolios",
        "v": "/api/v1/vulnerabilities",
        "id": portfolio.pk,
        "asset": make_asset(portfolio).pk,
    }


def ask(client: Client, method: str, route: str, parts: dict[str, Any]) -> Any:
    return getattr(client, method)(route.format(**parts))


@pytest.mark.parametrize(("method", "route"), REQUESTS)
def test_a_stranger_is_asked_for_a_key(
    method: str, route: str, parts: dict[str, Any], stranger: Client
) -> None:
    assert ask(stranger, method, route, parts).status_code == 401


@pytest.mark.parametrize(("method", "route"), REQUESTS)
def test_a_key_without_the_scope_is_refused(
    method: str, route: str, parts: dict[str, Any], acme: Organisation
) -> None:
    needed = Scope.PORTFOLIOS_READ if method == "get" else Scope.PORTFOLIOS_WRITE
    client = make_client(acme, scopes=sorted(set(Scope.values) - {needed}))
    response = ask(client, method, route, parts)
    assert response.status_code == 403
    assert needed in response.json()["detail"]


@pytest.mark.parametrize(
    ("method", "route"), [r for r in REQUESTS if r[1] not in {"{p}", "{v}"}]
)
def test_what_another_organisation_owns_is_absent(
    method: str, route: str, parts: dict[str, Any], other_client: Client
) -> None:
    body = {"reference": "x", "lat": 1, "lon": 1, "value": "1"}
    if "import" in route:
        sent: Any = other_client.post(
            route.format(**parts), b"id,lat,lon,value\na,1,1,1\n", "text/csv"
        )
    elif method == "post":
        sent = other_client.post(route.format(**parts), body, "application/json")
    elif method == "patch":
        sent = other_client.patch(route.format(**parts), {}, "application/json")
    else:
        sent = ask(other_client, method, route, parts)
    assert sent.status_code == 404
    assert other_client.get("/api/v1/portfolios").json()["results"] == []


def test_an_asset_is_reached_through_its_own_portfolio_only(
    parts: dict[str, Any], acme: Organisation, client: Client
) -> None:
    second = make_portfolio(acme, name="Second")
    response = client.get(f"/api/v1/portfolios/{second.pk}/assets/{parts['asset']}")
    assert (response.status_code, response.json()["code"]) == (404, "asset_not_found")


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create_user("ada", password="ada")


def sign_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_viewer_reads_and_an_editor_writes(person: User, acme: Organisation) -> None:
    membership = Membership.objects.create(user=person, organisation=acme)
    client = sign_in(person)
    body = {"name": "Shops", "currency": "EUR"}
    assert client.get("/api/v1/portfolios").status_code == 200
    assert (
        client.post("/api/v1/portfolios", body, "application/json").status_code == 403
    )
    membership.role = Membership.Role.EDITOR
    membership.save()
    assert (
        client.post("/api/v1/portfolios", body, "application/json").status_code == 201
    )


def test_a_member_of_two_organisations_names_one(
    person: User, acme: Organisation
) -> None:
    other = make_organisation("other")
    make_portfolio(acme, name="Mine")
    make_portfolio(other, name="Theirs")
    for organisation in (acme, other):
        Membership.objects.create(user=person, organisation=organisation)
    client = sign_in(person)
    assert client.get("/api/v1/portfolios").status_code == 403
    for slug, name in (("acme", "Mine"), ("other", "Theirs")):
        headers = {"X-Organisation": slug}
        found = client.get("/api/v1/portfolios", headers=headers).json()["results"]
        assert [row["name"] for row in found] == [name]
    headers = {"X-Organisation": "third"}
    assert client.get("/api/v1/portfolios", headers=headers).status_code == 403


def test_staff_without_a_membership_see_no_portfolio(admin: Client) -> None:
    assert admin.get("/api/v1/portfolios").status_code == 403
