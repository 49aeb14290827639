"""`manage.py run_worker` does the real work: a fit that a client asked for."""

import pytest
from django.core.management import call_command

from perf.jobs.models import PeriodicRun
from riskplatform.api.keys.models import Scope
from scoring.models import ModelVersion
from tests.support.factories import make_client, make_organisation, make_region
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def test_a_fit_that_was_asked_for_becomes_the_first_champion(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store_random_events(make_region(rings=1, owner=make_organisation()))
    client = make_client(make_organisation(), scopes=[Scope.MODELS_WRITE])
    body = {"region": "chicago", "kind": "poisson_glm"}
    asked = client.post("/api/v1/models", body, content_type="application/json")
    call_command("run_worker", "--once")
    assert capsys.readouterr().out.startswith("1 jobs run; done in turn: ")
    job = client.get(f"/api/v1/jobs/{asked.json()['job']['id']}").json()
    assert (job["state"], job["error"]) == ("succeeded", "")
    assert job["done"] >= 5
    version = ModelVersion.objects.get(pk=job["result"]["model_version"])
    assert version.state == "champion"
    assert version.forecasts.served().count() == 2
    assert not PeriodicRun.objects.exclude(error="").exists()


def test_a_fit_that_cannot_be_made_says_why() -> None:
    make_region(rings=1, owner=make_organisation())
    client = make_client(make_organisation(), scopes=[Scope.MODELS_WRITE])
    body = {"region": "chicago"}
    asked = client.post("/api/v1/models", body, content_type="application/json")
    call_command("run_worker", "--once")
    job = client.get(f"/api/v1/jobs/{asked.json()['job']['id']}").json()
    assert job["state"] == "failed"
    assert job["error"].startswith("Region 'chicago' has 0 events; a model needs 200.")
