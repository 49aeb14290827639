"""POST /reload-model: a version from the registry, or artifacts from a store."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client

from riskplatform.api.keys.models import Scope
from scoring.models import ModelSwitch, ModelVersion, Region
from scoring.services.registry import stores
from scoring.services.registry.fitting import fit_model
from scoring.services.registry.promotion import promote
from tests.scoring.registry.artifacts import SENSELESS, Change, rewritten
from tests.support.factories import make_client, make_organisation, make_region
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]

ADDRESS = "/api/v1/reload-model"


@pytest.fixture
def region() -> Region:
    region = make_region(rings=1, owner=make_organisation())
    store_random_events(region, count=300)
    return region


@pytest.fixture
def champion(region: Region) -> ModelVersion:
    return fit_model(region, kind="boosted_poisson").model_version


@pytest.fixture
def store(champion: ModelVersion, tmp_path: Path, settings: LazySettings) -> Path:
    """Give a model store that holds the artifacts of the champion."""
    settings.MODEL_STORES = {"shelf": tmp_path}
    folder = tmp_path / "chicago"
    call_command("export_model", str(champion), str(folder), "--region", "chicago")
    return folder


@pytest.fixture
def operator() -> Client:
    return make_client(make_organisation(), scopes=[Scope.MODELS_WRITE])


def post(client: Client, **body: Any) -> tuple[int, dict[str, Any]]:
    response = client.post(ADDRESS, body, content_type="application/json")
    return response.status_code, response.json()


def test_artifacts_from_a_store_become_champion(
    store: Path, champion: ModelVersion, operator: Client
) -> None:
    wanted = {
        "version": "boosted_poisson-7",
        "region": "chicago",
        "artifact_uri": "store://shelf/chicago/",
    }
    status, body = post(operator, **wanted)
    assert (status, body["status"]) == (200, "loaded")
    assert body["loaded_version"] == "boosted_poisson-7"
    version = ModelVersion.objects.champions().get()
    assert str(version.pk) == body["model_id"]
    assert version.event_count == champion.event_count
    digests = [
        sorted(each.artifacts.values_list("digest", flat=True))
        for each in (version, champion)
    ]
    assert digests[0] == digests[1]
    served = operator.get("/api/v1/risk-map?region=chicago").json()
    assert served["model_version"] == "boosted_poisson-7"
    assert post(operator, **wanted)[1]["status"] == "unchanged"
    assert ModelSwitch.objects.filter(reason="reload").count() == 1


def test_an_earlier_champion_is_put_in_service_again(
    region: Region, champion: ModelVersion, operator: Client
) -> None:
    fit_model(region, kind="poisson_glm", forced_because="It is a test.")
    status, body = post(operator, version=str(champion.pk))
    assert (status, body["loaded_version"]) == (200, str(champion))
    served = operator.get("/api/v1/risk-map?region=chicago").json()
    assert served["model_version"] == str(champion)


def test_a_candidate_has_to_pass_the_gate(
    region: Region, champion: ModelVersion, operator: Client
) -> None:
    fit_model(region, kind="poisson_glm")
    status, body = post(operator, version="poisson_glm-2")
    assert (status, body["code"]) == (409, "model_state")
    assert "was never champion" in body["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("change", SENSELESS, ids=lambda change: change.__name__)
def test_an_artifact_without_sense_is_refused_and_the_process_lives(
    change: Change, store: Path, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "TRIAL_CPU_S", 5)
    damaged = store / "86400.model"
    damaged.write_bytes(rewritten(damaged.read_bytes(), change))
    _require_refused(operator, "store://shelf/chicago/86400.model")


@pytest.mark.slow
def test_a_damaged_artifact_is_refused_wherever_it_is_damaged(
    store: Path, operator: Client
) -> None:
    whole = (store / "86400.model").read_bytes()
    damaged = store / "damaged.model"
    for place in range(40, len(whole) - 1, len(whole) // 4):
        cut, flipped = whole[:place], bytearray(whole)
        flipped[place : place + 8] = b"\xff" * 8
        for content in (cut, bytes(flipped)):
            damaged.write_bytes(content)
            _require_refused(operator, "store://shelf/chicago/damaged.model")


def test_an_artifact_of_another_time_zone_is_refused(
    store: Path, region: Region, operator: Client
) -> None:
    Region.objects.update(timezone="Europe/Madrid")
    _require_refused(operator, "store://shelf/chicago/")


def test_a_name_that_is_taken_by_other_artifacts_is_refused(
    store: Path, region: Region, operator: Client
) -> None:
    glm = fit_model(region, kind="poisson_glm").model_version
    promote(glm, actor="test", forced_because="It is a test.")
    status, body = post(
        operator,
        version="poisson_glm-2",
        region="chicago",
        artifact_uri="store://shelf/chicago/",
    )
    assert (status, body["code"]) == (409, "model_state")


def _require_refused(operator: Client, uri: str) -> None:
    status, body = post(
        operator, version="boosted_poisson-9", region="chicago", artifact_uri=uri
    )
    assert (status, body["code"]) == (422, "artifact_not_usable")
    assert not ModelVersion.objects.filter(number=9).exists()
