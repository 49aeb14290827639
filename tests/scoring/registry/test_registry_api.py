"""What clients see of model versions, and what they may change."""

from typing import Any

import pytest
from django.test import Client

from perf.jobs.models import Job
from riskplatform.api.keys.models import Scope
from scoring.models import ModelVersion
from tests.scoring.registry.versions import (
    day,
    make_rivals,
    make_scored_forecast,
    make_version,
)
from tests.support.factories import make_client, make_organisation, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@pytest.fixture
def operator() -> Client:
    scopes = [Scope.MODELS_WRITE, Scope.SCORES_READ]
    return make_client(make_organisation(), scopes=scopes)


def test_versions_are_listed_with_what_their_forecasts_achieved(
    operator: Client,
) -> None:
    champion, challenger = make_rivals(make_region(rings=0, owner=make_organisation()))
    make_scored_forecast(champion, day(0))
    make_scored_forecast(champion, day(1), n_test=0.001)
    body = operator.get("/api/v1/models").json()
    names = [row["version"] for row in body["results"]]
    assert names == [str(challenger), str(champion)]
    assert body["results"][0]["live_skill"] == []
    [figures] = body["results"][1]["live_skill"]
    assert figures.pop("gain") == pytest.approx(0.2)
    assert figures == {
        "horizon_sec": 86_400,
        "forecast_count": 2,
        "event_count": 10,
        "brier_score": 0.1,
        "n_test_failures": 1,
    }
    only = operator.get("/api/v1/models?region=chicago&state=champion").json()
    assert [row["version"] for row in only["results"]] == [str(champion)]


def test_a_version_shows_its_artifacts_and_its_history(operator: Client) -> None:
    _, challenger = make_rivals(make_region(rings=0, owner=make_organisation()))
    address = f"/api/v1/models/{challenger.pk}"
    body = operator.get(address).json()
    assert body["artifacts"] == [{"horizon_sec": 86_400, "digest": f"{2:064x}"}]
    assert body["switches"] == []
    etag = operator.get(address).headers["ETag"]
    again = operator.get(address, headers={"If-None-Match": etag})
    assert again.status_code == 304


def test_a_fit_is_a_job_and_asked_for_once(operator: Client) -> None:
    make_region(rings=0, owner=make_organisation())
    body = {"region": "chicago", "kind": "poisson_glm"}
    first, second = (
        operator.post("/api/v1/models", body, content_type="application/json")
        for _ in range(2)
    )
    assert (first.status_code, first.json()["job"]["kind"]) == (202, "fit-model")
    assert first.json() == second.json()
    assert Job.objects.get().parameters == body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"region": "nowhere"}, 404),
        ({"region": "chicago", "kind": "oracle"}, 422),
        ({"region": "chicago", "unknown": 1}, 422),
        ({"region": 3}, 422),
        ({}, 422),
        ("no json", 400),
    ],
)
def test_a_fit_that_makes_no_sense_is_refused(
    body: Any, status: int, operator: Client
) -> None:
    make_region(rings=0, owner=make_organisation())
    response = operator.post("/api/v1/models", body, content_type="application/json")
    assert response.status_code == status
    assert not Job.objects.exists()


def test_promotion_is_refused_with_the_figures_that_failed(operator: Client) -> None:
    _, challenger = make_rivals(make_region(rings=0, owner=make_organisation()))
    response = operator.post(f"/api/v1/models/{challenger.pk}/promote")
    body = response.json()
    assert (response.status_code, body["code"]) == (409, "promotion_refused")
    assert body["gate"]["failed"] == ["at 86400 s only 0 of 14 windows are scored"]


def test_a_champion_is_rolled_back_in_one_call(operator: Client) -> None:
    region = make_region(rings=0, owner=make_organisation())
    champion, challenger = make_rivals(region)
    for number in range(14):
        make_scored_forecast(champion, day(number), log_score=-10.0)
        make_scored_forecast(challenger, day(number), log_score=-9.0)
    promoted = operator.post(f"/api/v1/models/{challenger.pk}/promote")
    assert promoted.status_code == 200
    assert promoted.json()["champion"]["version"] == str(challenger)
    back = operator.post(f"/api/v1/models/{challenger.pk}/rollback").json()
    assert back["champion"]["version"] == str(champion)
    assert back["reason"] == "rollback"
    history = operator.get(f"/api/v1/models/{challenger.pk}").json()["switches"]
    assert [change["reason"] for change in history] == ["rollback", "promotion"]


def test_a_candidate_becomes_a_challenger(operator: Client) -> None:
    region = make_region(rings=0, owner=make_organisation())
    version = make_version(region, number=1, state=ModelVersion.State.CANDIDATE)
    address = f"/api/v1/models/{version.pk}/challenge"
    assert operator.post(address).json()["state"] == "challenger"
    assert operator.post(address).status_code == 409


@pytest.mark.parametrize("address", ["models", "forecasts"])
@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_the_same_for_one_row_and_for_twenty(
    address: str, count: int, operator: Client, django_assert_num_queries: Any
) -> None:
    """The key, the note of its use, the page; and the skill of model versions."""
    region = make_region(rings=0, owner=make_organisation())
    for number in range(1, count + 1):
        version = make_version(region, number=number, state=ModelVersion.State.RETIRED)
        make_scored_forecast(version, day(number))
    with django_assert_num_queries(4 if address == "models" else 3):
        rows = operator.get(f"/api/v1/{address}").json()["results"]
    assert len(rows) == count


@pytest.mark.parametrize(
    "address",
    ["models", "models/{}/challenge", "models/{}/promote", "models/{}/rollback"],
)
def test_whoever_reads_cannot_change_anything(address: str) -> None:
    reader = make_client(make_organisation(), scopes=[Scope.SCORES_READ])
    champion, _ = make_rivals(make_region(rings=0, owner=make_organisation()))
    response = reader.post(f"/api/v1/{address.format(champion.pk)}")
    assert response.status_code == 403
