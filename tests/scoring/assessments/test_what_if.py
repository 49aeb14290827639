"""POST /assess/what-if says of assets in the body what it would of stored ones."""

from typing import Any

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation
from scoring.models import Assessment, Asset, Forecast, Portfolio, Region
from scoring.services.regions import set_region_access
from tests.support.factories import make_vulnerability

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])
FIGURES = (
    *("risk_score", "expected_loss", "loss_probability", "var", "tvar", "aep", "oep"),
    *("monte_carlo_error", "top_cells", "inside", "outside", "without_curve"),
)


def ask(client: Client, assets: list[dict[str, Any]], **more: Any) -> Any:
    body = {"region": "chicago", "assets": assets, **more}
    return client.post("/api/v1/assess/what-if", body, content_type="application/json")


def as_given(portfolio: Portfolio) -> list[dict[str, Any]]:
    return [
        {
            "reference": asset.reference,
            "lat": asset.lat,
            "lon": asset.lon,
            "value": str(asset.value),
            "deductible": str(asset.deductible),
            "limit": None if asset.limit is None else str(asset.limit),
            "vulnerability": asset.vulnerability and asset.vulnerability.slug,
        }
        for asset in Asset.objects.filter(portfolio=portfolio).order_by("pk")
    ]


def test_figures_are_those_of_a_portfolio_with_the_same_assets(
    client: Client, portfolio: Portfolio, forecast: Forecast
) -> None:
    address = f"/api/v1/assess/{portfolio.pk}"
    stored = client.post(address, {}, content_type="application/json").json()
    answer = ask(client, as_given(portfolio))
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert {name: told[name] for name in FIGURES} == {
        name: stored[name] for name in FIGURES
    }
    assert told["forecast_id"] == str(forecast.pk)
    assert {asset["asset_id"] for asset in told["top_assets"]} == {None}
    # Nothing of it is stored.
    assert Assessment.objects.count() == 1
    assert Portfolio.objects.count() == 1


def test_an_asset_more_and_one_moved_away(
    client: Client, portfolio: Portfolio, forecast: Forecast
) -> None:
    assets = as_given(portfolio)
    before = ask(client, assets).json()
    more = ask(client, [*assets, {**assets[0], "reference": "more"}]).json()
    assert float(more["expected_loss"]) > float(before["expected_loss"])
    assert more["inside"]["count"] == before["inside"]["count"] + 1
    moved = ask(client, [{**assets[0], "lat": -45.0}, *assets[1:]]).json()
    assert moved["outside"]["count"] == 1
    assert float(moved["expected_loss"]) < float(before["expected_loss"])


def test_curves_of_the_organisation_are_used(
    client: Client, portfolio: Portfolio, forecast: Forecast, acme: Organisation
) -> None:
    make_vulnerability(acme, slug="weak")
    assets = [{**each, "vulnerability": "weak"} for each in as_given(portfolio)]
    assert ask(client, assets).json()["without_curve"] == 0
    assets[1]["vulnerability"] = "unknown"
    answer = ask(client, assets)
    assert answer.status_code == 404
    assert "no vulnerability 'unknown'" in answer.json()["detail"]


def test_what_cannot_be_assessed_is_said(
    client: Client, portfolio: Portfolio, forecast: Forecast
) -> None:
    (first, *_) = as_given(portfolio)
    assert ask(client, []).status_code == 422
    twice = ask(client, [first, first])
    assert (twice.status_code, "given twice" in twice.json()["detail"]) == (422, True)
    nowhere = ask(client, [{**first, "lat": -45.0}])
    assert "No asset lies in region" in nowhere.json()["detail"]
    assert ask(client, [first], region="nowhere").status_code == 404
    set_region_access(Region.objects.get(), owner=None, is_public=False)
    assert ask(client, [first]).status_code == 404
