from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation
from scoring.models import Assessment, Forecast, Portfolio, Region
from tests.support.factories import make_portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

NOBODY = UUID("019aaaaa-0000-7000-8000-000000000000")


def assess(client: Client, portfolio_id: UUID, **body: Any) -> Any:
    return client.post(
        f"/api/v1/assess/{portfolio_id}", body, content_type="application/json"
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"horizon_sec": 0}, "/horizon_sec"),
        ({"horizon_sec": 10**30}, "/horizon_sec"),
        ({"horizon_sec": "day"}, "/horizon_sec"),
        ({"horizon_sec": None}, "/horizon_sec"),
        ({"time": "2024-01-01T00:00:00"}, "/time"),
        ({"time": "yesterday"}, "/time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "/time"),
        ({"time": "9999-12-31T23:59:59-12:00"}, "/time"),
        ({"quantiles": []}, "/quantiles"),
        ({"quantiles": [0.5] * 21}, "/quantiles"),
        ({"quantiles": [0.5, 0.9, 0.5]}, "/quantiles/2"),
        ({"quantiles": [0.0]}, "/quantiles/0"),
        ({"quantiles": [1.0]}, "/quantiles/0"),
        ({"quantiles": [0.5, "0.9"]}, "/quantiles/1"),
        ({"quantiles": [0.12345678]}, "/quantiles/0"),
        ({"quantiles": [1e-9]}, "/quantiles/0"),
        ({"model_version": "ensemble"}, "/model_version"),
        ({"model_version": "ensemble-99999999999"}, "/model_version"),
        ({"model_version": "ensemble-7"}, "/model_version"),
        ({"model_version": "a\u0000-1"}, "/model_version"),
        ({"region": "no region"}, "/region"),
        ({"region": "\u0000"}, "/region"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_refuses_nonsense_with_a_pointer(
    body: dict[str, Any], pointer: str, client: Client, portfolio: Portfolio
) -> None:
    response = assess(client, portfolio.pk, **body)
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"quantiles": [NaN]}', b'{"quantiles": [1e999]}']
)
def test_a_body_that_is_not_json_is_a_problem(
    body: bytes, client: Client, portfolio: Portfolio
) -> None:
    response = client.post(
        f"/api/v1/assess/{portfolio.pk}", body, content_type="application/json"
    )
    assert response.status_code in {400, 422}
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_region_without_a_forecast_names_the_horizons_there_are(
    client: Client, portfolio: Portfolio
) -> None:
    response = assess(client, portfolio.pk, horizon_sec=3_600)
    assert response.status_code == 404
    assert response.json()["code"] == "forecast_not_found"
    assert response.json()["horizons"] == [86_400]


def test_an_unknown_region_is_a_404(client: Client, portfolio: Portfolio) -> None:
    response = assess(client, portfolio.pk, region="atlantis")
    assert (response.status_code, response.json()["code"]) == (404, "region_not_found")


def test_a_portfolio_without_assets_cannot_be_assessed(
    client: Client, acme: Organisation, forecast: Forecast
) -> None:
    empty = make_portfolio(acme, name="Empty")
    for body in ({}, {"region": "chicago"}):
        response = assess(client, empty.pk, **body)
        assert response.status_code == 422
        assert response.json()["code"] == "not_assessable"


def test_more_money_than_can_be_stored_is_refused(
    client: Client, acme: Organisation, forecast: Forecast
) -> None:
    rich = make_portfolio(acme, n_assets=2, value="900000000000000000.00")
    response = assess(client, rich.pk)
    assert response.status_code == 422
    assert response.json()["code"] == "not_assessable"


def test_what_belongs_to_others_is_not_there(
    client: Client, other_client: Client, portfolio: Portfolio, chicago: Region
) -> None:
    found = assess(client, portfolio.pk).json()
    assert assess(other_client, portfolio.pk).status_code == 404
    assert assess(client, NOBODY).status_code == 404
    for address in (
        f"/api/v1/assessments/{found['id']}",
        f"/api/v1/portfolios/{portfolio.pk}/assessments",
    ):
        assert client.get(address).status_code == 200
        response = other_client.get(address)
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"
    assert Assessment.objects.count() == 1
