"""A model is fitted, challenges, is refused, wins, and gives way again."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from perf.jobs.runner import run_next_job
from scoring.models import ModelVersion, Region
from tests.contract.walking import (
    Cast,
    require_answered_once,
    require_guarded,
    require_known_fields,
    require_unchanged,
)
from tests.scoring.registry.versions import (
    day,
    make_rivals,
    make_run,
    make_scored_forecast,
    make_version,
)
from tests.support.factories import make_organisation, make_region
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
# The worker loads its runners like this.
import_module("scoring.tasks")

FIT = {"region": "chicago", "kind": "poisson_glm"}


@pytest.fixture
def region(db: None) -> Region:
    return make_region(rings=1, owner=make_organisation("acme"))


def test_a_model_is_fitted_by_a_job_and_loaded_from_a_store(
    cast: Cast, region: Region, tmp_path: Path, settings: Settings
) -> None:
    store_random_events(region, count=300)
    queued = require_answered_once(
        cast.acme, "models_fit", bodies=(FIT, {**FIT, "kind": "boosted_poisson"})
    ).job
    assert (queued.kind, queued.state) == ("fit-model", "queued")
    run_next_job()
    job = cast.acme.get("jobs_get", job_id=queued.id)
    assert (job.state, job.error) == ("succeeded", "")
    fitted = cast.acme.get("models_get", version_id=job.result["model_version"])
    assert (fitted.version, fitted.state) == ("poisson_glm-1", "champion")
    assert cast.nobody.get("risk_map", region="chicago").model_version == fitted.version

    settings.MODEL_STORES = {"shelf": tmp_path}
    folder = str(tmp_path / "chicago")
    call_command("export_model", fitted.version, folder, "--region", "chicago")
    body = {
        "version": "poisson_glm-7",
        "region": "chicago",
        "artifact_uri": "store://shelf/chicago/",
    }
    loaded = require_answered_once(
        cast.acme, "reload_model", bodies=(body, {"version": "poisson_glm-1"})
    )
    assert (loaded.status, loaded.loaded_version) == ("loaded", "poisson_glm-7")
    served = cast.nobody.get("risk_map", region="chicago").model_version
    assert served == loaded.loaded_version
    back = cast.acme.get("reload_model", body={"version": str(fitted.id)})
    assert (back.status, back.loaded_version) == ("loaded", fitted.version)
    outside = {**body, "version": "poisson_glm-8", "artifact_uri": "file:///etc/passwd"}
    refused = cast.acme.call("reload_model", body=outside)
    assert (refused.status_code, refused.parsed.code) == (422, "artifact_not_usable")
    assert refused.parsed.errors[0].pointer == "/artifact_uri"
    require_known_fields(cast.acme, "reload_model", body=body)
    require_known_fields(cast.acme, "models_fit", body=FIT)
    require_guarded(cast, "reload_model", is_shared=True, body=body)
    require_guarded(cast, "models_fit", limited=cast.reader, is_shared=True, body=FIT)


def test_a_challenger_is_refused_wins_and_gives_way(cast: Cast, region: Region) -> None:
    champion, challenger = make_rivals(region)
    known: dict[str, Any] = {"version_id": challenger.pk}
    refused = cast.acme.call("models_promote", **known)
    assert (refused.status_code, refused.parsed.code) == (409, "promotion_refused")
    gate = refused.parsed.additional_properties["gate"]
    assert gate["failed"] == ["at 86400 s only 0 of 14 windows are scored"]
    for number in range(14):
        make_scored_forecast(champion, day(number), log_score=-10.0)
        make_scored_forecast(challenger, day(number), log_score=-9.0)

    first, again = (
        cast.acme.call("models_promote", idempotency_key="walk", **known)
        for _ in range(2)
    )
    assert (first.parsed.champion.version, first.parsed.reason) == (
        *(str(challenger), "promotion"),
    )
    assert (again.content, again.headers["Idempotency-Replayed"]) == (
        *(first.content, "true"),
    )
    back = cast.acme.get("models_rollback", **known)
    assert (back.champion.version, back.reason) == (str(champion), "rollback")
    shown = cast.acme.get("models_get", **known)
    assert [one.reason for one in shown.switches] == ["rollback", "promotion"]
    (served,) = cast.reader.get("models_list", state="champion").results
    assert (served.version, served.live_skill[0].forecast_count) == (str(champion), 14)
    none_before = cast.acme.call("models_rollback", version_id=champion.pk)
    assert (none_before.status_code, none_before.parsed.code) == (
        *(409, "no_earlier_champion"),
    )
    require_unchanged(cast.reader, "models_get", path=known)
    require_guarded(cast, "models_list", is_shared=True)
    require_guarded(cast, "models_get", is_shared=True, **known)
    for operation_id in ("models_promote", "models_rollback", "models_challenge"):
        require_guarded(
            cast, operation_id, limited=cast.reader, is_shared=True, **known
        )


def test_a_candidate_challenges(cast: Cast, region: Region) -> None:
    version = make_version(region, number=1, state=ModelVersion.State.CANDIDATE)
    challenger = cast.acme.get("models_challenge", version_id=version.pk)
    assert challenger.state == "challenger"
    twice = cast.acme.call("models_challenge", version_id=version.pk)
    assert (twice.status_code, twice.parsed.code) == (409, "model_state")


def test_a_forecast_tells_how_it_did_once_that_is_known(
    cast: Cast, region: Region
) -> None:
    champion, _ = make_rivals(region)
    scored = make_scored_forecast(champion, day(0)).forecast
    waiting = make_run(champion, day(1))
    listed = cast.reader.get("forecasts_list", region="chicago").results
    assert [one.id for one in listed] == [str(waiting.pk), str(scored.pk)]
    one = cast.reader.get("forecasts_get", forecast_id=scored.pk)
    assert (one.id, one.skill.observed_count) == (str(scored.pk), 5)
    require_guarded(cast, "forecasts_get", is_shared=True, forecast_id=scored.pk)
    did = cast.reader.get("forecasts_skill", forecast_id=scored.pk)
    assert (did.observed_count, did.gain, did.forecast.id) == (5, 0.2, str(scored.pk))
    early = cast.reader.call("forecasts_skill", forecast_id=waiting.pk)
    assert (early.status_code, early.parsed.code) == (409, "horizon_not_passed")
    require_unchanged(cast.reader, "forecasts_skill", path={"forecast_id": scored.pk})
    require_guarded(cast, "forecasts_skill", is_shared=True, forecast_id=scored.pk)
    require_guarded(cast, "forecasts_list", is_shared=True)
