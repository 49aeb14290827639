"""Bad input gets a problem that says where and why, never a 500."""

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation
from tests.support.factories import make_asset, make_portfolio, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

ASSET = {"reference": '"a"', "lat": "1", "lon": "1", "value": '"1"'}


@pytest.fixture(autouse=True)
def answers_of_the_server(client: Client) -> None:
    client.raise_request_exception = False


def body_of(**changes: str) -> str:
    parts = {**ASSET, **changes}
    return "{" + ",".join(f'"{name}":{value}' for name, value in parts.items()) + "}"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"lat": "90.001"}, "/lat"),
        ({"lat": "1e999"}, "/lat"),
        ({"lat": '"1"'}, "/lat"),
        ({"lat": "true"}, "/lat"),
        ({"lon": "null"}, "/lon"),
        ({"lon": "-181"}, "/lon"),
        ({"value": '"NaN"'}, "/value"),
        ({"value": '"-Infinity"'}, "/value"),
        ({"value": '"sNaN"'}, "/value"),
        ({"value": "-1"}, "/value"),
        ({"value": '"1e999999"'}, "/value"),
        ({"value": '"999999999999999999.999"'}, "/value"),
        ({"value": "1" + "0" * 400}, "/value"),
        ({"value": '"a lot"'}, "/value"),
        ({"deductible": "null"}, "/deductible"),
        ({"limit": '"1e18"'}, "/limit"),
        ({"reference": '""'}, "/reference"),
        ({"reference": '"a\\u0000"'}, "/reference"),
        ({"reference": '"' + "a" * 101 + '"'}, "/reference"),
        ({"name": '"\\n"'}, "/name"),
        ({"vulnerability": '"none"'}, "/vulnerability"),
        ({"vulnerability": '"a b"'}, "/vulnerability"),
        ({"colour": '"red"'}, "/colour"),
    ],
)
def test_a_bad_asset_is_refused_where_it_is_bad(
    changes: dict[str, str], pointer: str, client: Client, acme: Organisation
) -> None:
    address = f"/api/v1/portfolios/{make_portfolio(acme).pk}/assets"
    response = client.post(address, body_of(**changes), "application/json")
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["pointer"] == pointer
    assert error["reason"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        body_of(lat="NaN"),
        body_of(lat="Infinity"),
        body_of(reference='"\\ud800"'),
        "[" * 100_000,
        '{"reference":' + "[" * 100_000,
    ],
    ids=["empty", "cut", "nan", "infinity", "surrogate", "deep", "deep-inside"],
)
def test_what_is_no_json_is_malformed(
    body: str, client: Client, acme: Organisation
) -> None:
    address = f"/api/v1/portfolios/{make_portfolio(acme).pk}/assets"
    response = client.post(address, body, "application/json")
    assert response.status_code in {400, 422}
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        {"currency": "USD"},
        {"name": "", "currency": "USD"},
        {"name": "a" * 201, "currency": "USD"},
        {"name": "a\x00", "currency": "USD"},
        {"name": "a", "currency": "usd"},
        {"name": "a", "currency": "USD\n"},
        {"name": "a", "currency": "USD", "organisation": 1},
        {"name": "a", "currency": "USD", "revision": 9},
        [],
        7,
    ],
)
def test_a_bad_portfolio_is_refused(body: object, client: Client) -> None:
    response = client.post("/api/v1/portfolios", body, "application/json")
    assert response.status_code == 422
    assert response.json()["errors"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=1&limit=2",
        "after=1",
        "name=%00",
        "name=",
        "currency=eur",
        "colour=red",
    ],
)
def test_a_bad_query_is_refused(query: str, client: Client) -> None:
    response = client.get(f"/api/v1/portfolios?{query}")
    assert response.status_code == 422
    assert response.json()["errors"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("region=none", 404), ("reference=%00", 422), ("outside=perhaps", 422)],
)
def test_a_bad_filter_of_assets_is_refused(
    query: str, status: int, client: Client, acme: Organisation
) -> None:
    make_region()
    portfolio = make_portfolio(acme)
    make_asset(portfolio)
    response = client.get(f"/api/v1/portfolios/{portfolio.pk}/assets?{query}")
    assert response.status_code == status
