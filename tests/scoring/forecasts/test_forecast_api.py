"""What clients see of forecasts and of how they did."""

import pytest
from django.test import Client

from riskplatform.api.keys.models import Scope
from tests.scoring.registry.versions import (
    day,
    make_rivals,
    make_run,
    make_scored_forecast,
)
from tests.support.factories import make_client, make_organisation, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@pytest.fixture
def operator() -> Client:
    return make_client(make_organisation(), scopes=[Scope.SCORES_READ])


def test_forecasts_are_listed_with_their_skill(operator: Client) -> None:
    champion, challenger = make_rivals(make_region(rings=0))
    scored = make_scored_forecast(champion, day(0)).forecast
    waiting = make_run(challenger, day(0))
    rows = operator.get("/api/v1/forecasts?region=chicago").json()["results"]
    skills = {row["id"]: row["skill"] for row in rows}
    assert skills.keys() == {str(scored.pk), str(waiting.pk)}
    assert skills[str(waiting.pk)] is None
    assert skills[str(scored.pk)]["observed_count"] == 5
    shadow = operator.get("/api/v1/forecasts?is_shadow=true").json()["results"]
    assert [row["id"] for row in shadow] == [str(waiting.pk)]


def test_the_skill_of_a_forecast_is_told_once_it_is_known(operator: Client) -> None:
    champion, _ = make_rivals(make_region(rings=0))
    scored = make_scored_forecast(champion, day(0)).forecast
    waiting = make_run(champion, day(1))
    body = operator.get(f"/api/v1/forecasts/{scored.pk}/skill").json()
    assert (body["observed_count"], body["gain"]) == (5, 0.2)
    refused = operator.get(f"/api/v1/forecasts/{waiting.pk}/skill")
    assert (refused.status_code, refused.json()["code"]) == (409, "horizon_not_passed")
    assert refused.json()["scored_after"] == "2024-01-04T00:00:00Z"


def test_a_forecast_is_found_by_its_id_and_by_its_version(operator: Client) -> None:
    champion, challenger = make_rivals(make_region(rings=0))
    scored = make_scored_forecast(champion, day(0)).forecast
    make_run(challenger, day(0))
    one = operator.get(f"/api/v1/forecasts/{scored.pk}").json()
    assert (one["id"], one["skill"]["observed_count"]) == (str(scored.pk), 5)
    assert one["issued_for"].endswith("Z")
    for named in (one["model_version"], one["model_id"]):
        found = operator.get("/api/v1/forecasts", {"model_version": named}).json()
        assert [row["id"] for row in found["results"]] == [str(scored.pk)]
    refused = operator.get("/api/v1/forecasts?model_version=best")
    assert refused.status_code == 422
    assert "such as ensemble-4" in refused.json()["detail"]
