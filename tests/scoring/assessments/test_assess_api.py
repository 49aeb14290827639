from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.test import Client
from prometheus_client import REGISTRY
from pytest_django import DjangoAssertNumQueries

from riskplatform.api.keys.models import Organisation, Scope
from scoring.api.assessments import AssessmentDetail
from scoring.models import Assessment, Asset, Forecast, Portfolio, Region
from scoring.services.portfolios.portfolios import update_asset
from tests.support.factories import (
    DAY_S,
    ISSUED_FOR,
    make_asset,
    make_client,
    make_forecast,
    make_portfolio,
    make_region,
)
from tests.support.forecasts_with_events import make_forecast_with_events

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def assess(client: Client, portfolio: Portfolio | UUID, **body: Any) -> Any:
    portfolio_id = portfolio.pk if isinstance(portfolio, Portfolio) else portfolio
    return client.post(
        f"/api/v1/assess/{portfolio_id}", body, content_type="application/json"
    )


def test_answers_with_every_figure_in_its_documented_form(
    client: Client, portfolio: Portfolio, forecast: Forecast
) -> None:
    response = assess(client, portfolio)
    assert response.status_code == 200
    found = msgspec.json.decode(response.content, type=AssessmentDetail)
    assert found.portfolio_id == portfolio.pk
    assert found.forecast_id == forecast.pk
    assert (found.region, found.currency) == ("chicago", "USD")
    assert found.time == ISSUED_FOR
    assert found.portfolio_revision == portfolio.revision
    assert set(found.var) == set(found.tvar) == {"0.9", "0.95", "0.99"}
    assert found.contribution_quantile == 0.99
    assert (found.inside.count, str(found.inside.value)) == (7, "7000.00")
    assert (found.outside.count, str(found.outside.value)) == (0, "0.00")
    assert [point.exceedance_probability for point in found.aep] == [
        *(0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
    ]
    assert found.monte_carlo_error.n_scenarios == 2_000


def test_what_is_there_adds_up(
    client: Client, portfolio: Portfolio, forecast: Forecast
) -> None:
    found = msgspec.json.decode(
        assess(client, portfolio).content, type=AssessmentDetail
    )
    worst = float(found.tvar["0.99"])
    assets = sum(float(asset.tvar_contribution) for asset in found.top_assets)
    cells = sum(float(cell.tvar_contribution) for cell in found.top_cells)
    assert assets == pytest.approx(worst, abs=0.1)
    assert cells == pytest.approx(worst, abs=0.1)
    for quantile, var in found.var.items():
        interval = found.monte_carlo_error.var[quantile]
        assert interval.high is not None
        assert interval.low <= var <= interval.high
        assert var <= found.tvar[quantile]


def test_asking_again_gives_the_stored_assessment(
    client: Client,
    portfolio: Portfolio,
    forecast: Forecast,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    made = REGISTRY.get_sample_value("scoring_assessments_made_total") or 0.0
    first = assess(client, portfolio, quantiles=[0.99, 0.5]).json()
    with django_assert_num_queries(5):
        # Key, portfolio, regions, forecast, assessment.
        again = assess(client, portfolio, quantiles=[0.5, 0.99]).json()
    assert again == first
    assert Assessment.objects.count() == 1
    assert REGISTRY.get_sample_value("scoring_assessments_made_total") == made + 1


def test_other_quantiles_are_measured_of_the_same_losses(
    client: Client,
    portfolio: Portfolio,
    forecast: Forecast,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    def count_computed() -> float:
        labels = {"kind": "losses"}
        return REGISTRY.get_sample_value("scoring_inference_calls_total", labels) or 0.0

    first = assess(client, portfolio, quantiles=[0.9, 0.99]).json()
    computed = count_computed()
    with django_assert_num_queries(10):
        # Key, portfolio, regions, forecast, assessment; the transaction has five: a
        # savepoint, the portfolio locked, the assessment again, stored, released.
        other = assess(client, portfolio, quantiles=[0.8, 0.99]).json()
    assert count_computed() == computed
    assert other["var"]["0.99"] == first["var"]["0.99"]
    assert other["top_assets"] == first["top_assets"]
    assert other["var"]["0.8"] <= first["var"]["0.9"]


def test_another_revision_forecast_or_quantile_is_another_assessment(
    client: Client, portfolio: Portfolio, chicago: Region
) -> None:
    first = assess(client, portfolio).json()
    make_asset(portfolio, "new", value="50000.00")
    second = assess(client, portfolio).json()
    assert second["portfolio_revision"] == first["portfolio_revision"] + 1
    assert second["inside"] == {"count": 8, "value": "57000.00"}
    assess(client, portfolio, quantiles=[0.9])
    make_forecast_with_events(chicago, horizon_sec=7 * DAY_S, scale=4.0)
    longer = assess(client, portfolio, horizon_sec=7 * DAY_S).json()
    assert longer["risk_score"] > second["risk_score"]
    assert Assessment.objects.count() == 4


def test_assets_outside_the_region_are_reported(
    client: Client, portfolio: Portfolio
) -> None:
    make_asset(portfolio, "far", lat=10.0, lon=10.0, value="12.50")
    found = assess(client, portfolio).json()
    assert found["outside"] == {"count": 1, "value": "12.50"}
    assert found["inside"]["count"] == 7


def test_what_losses_are_without_is_named(client: Client, portfolio: Portfolio) -> None:
    found = assess(client, portfolio).json()
    assert (found["without_curve"], found["ignored_terms"]) == (7, {})
    first, second, *_ = portfolio.assets.order_by("pk")
    Asset.objects.filter(pk=first.pk).update(ignored_terms="CondDed6All")
    Asset.objects.filter(pk=second.pk).update(
        ignored_terms="CondDed6All,LocDed1Building"
    )
    Portfolio.objects.update(revision=portfolio.revision + 1)
    found = assess(client, portfolio).json()
    assert found["ignored_terms"] == {"CondDed6All": 2, "LocDed1Building": 1}
    update_asset(first, values={"deductible": Decimal(5)})
    found = assess(client, portfolio).json()
    assert found["ignored_terms"] == {"CondDed6All": 1, "LocDed1Building": 1}


def test_an_assessment_needs_no_body(client: Client, portfolio: Portfolio) -> None:
    asked = client.post(
        f"/api/v1/assess/{portfolio.pk}", b"", content_type="application/json"
    )
    assert asked.json()["id"] == assess(client, portfolio).json()["id"]


def test_a_time_chooses_the_forecast_that_was_there(
    client: Client, portfolio: Portfolio, forecast: Forecast, chicago: Region
) -> None:
    later = ISSUED_FOR.replace(day=3)
    newer = make_forecast_with_events(chicago, issued_for=later)
    assert assess(client, portfolio).json()["forecast_id"] == str(newer.pk)
    found = assess(client, portfolio, time="2024-01-02T00:00:00+01:00").json()
    assert found["forecast_id"] == str(forecast.pk)


def test_a_model_version_can_be_named(
    client: Client, portfolio: Portfolio, forecast: Forecast
) -> None:
    found = assess(client, portfolio, model_version="poisson_glm-1").json()
    assert found["forecast_id"] == str(forecast.pk)
    assert found["model_version"] == "poisson_glm-1"


def test_assets_in_two_regions_need_a_choice(
    client: Client, portfolio: Portfolio, forecast: Forecast
) -> None:
    make_forecast(make_region("chicago-too", rings=1))
    portfolio = make_portfolio(portfolio.organisation, name="Both", n_assets=3)
    response = assess(client, portfolio)
    assert response.status_code == 422
    assert response.json()["code"] == "not_assessable"
    assert response.json()["regions"] == ["chicago", "chicago-too"]
    assert response.json()["errors"][0]["pointer"] == "/region"
    found = assess(client, portfolio, region="chicago").json()
    assert found["region"] == "chicago"


def test_needs_the_scopes_of_portfolios_and_of_scores(
    acme: Organisation, portfolio: Portfolio
) -> None:
    for scope in (Scope.PORTFOLIOS_READ, Scope.SCORES_READ):
        response = assess(make_client(acme, scopes=[scope]), portfolio)
        assert response.status_code == 403
    assert assess(Client(), portfolio).status_code == 401


def test_the_same_idempotency_key_gets_the_same_answer(
    client: Client, portfolio: Portfolio
) -> None:
    address = f"/api/v1/assess/{portfolio.pk}"
    answers = [
        client.post(
            address,
            {},
            content_type="application/json",
            headers={"Idempotency-Key": "once"},
        )
        for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotency-Replayed"] == "true"
