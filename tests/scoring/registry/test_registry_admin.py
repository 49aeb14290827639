"""Staff pages of jobs, versions, switches and skill."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from perf.jobs.models import Job, PeriodicRun
from scoring.models import ForecastSkill, ModelSwitch, ModelVersion, Region
from scoring.services.registry.promotion import promote
from tests.scoring.registry.versions import (
    day,
    make_rivals,
    make_scored_forecast,
    make_version,
)
from tests.support.factories import make_organisation, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

MODELS = (Job, PeriodicRun, ModelVersion, ModelSwitch, ForecastSkill)


def fill(count: int) -> None:
    for number in range(count):
        region = make_region(f"region-{number}", rings=0)
        version = make_version(region, number=1, state=ModelVersion.State.CANDIDATE)
        promote(version, actor="test")
        make_scored_forecast(version, day(number))
        Job.objects.create(kind="tested", organisation=make_organisation())
        PeriodicRun.objects.create(name=f"work-{number}", due_at=timezone.now())


def page_of(model: type[Model], page: str, *key: Any) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=key)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_for_one_row_and_for_twenty(
    model: Any, admin: Client, django_assert_max_num_queries: Any
) -> None:
    address = page_of(model, "changelist")
    counts = []
    for count in (1, 20):
        for each in (Region, Job, PeriodicRun):
            each.objects.all().delete()
        fill(count)
        admin.get(address)
        with django_assert_max_num_queries(12) as queries:
            assert admin.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", MODELS)
def test_a_row_can_be_looked_at_and_not_written(model: Any, admin: Client) -> None:
    fill(1)
    change = page_of(model, "change", model.objects.first().pk)
    assert admin.get(change).status_code == 200
    assert admin.post(change, {}).status_code == 403
    assert admin.get(page_of(model, "add")).status_code == 403


def test_a_version_shows_its_skill_by_week(admin: Client) -> None:
    champion, _ = make_rivals(make_region(rings=0))
    for number in range(9):
        make_scored_forecast(champion, day(number))
    address = reverse("admin:scoring_modelversion_change", args=[champion.pk])
    page = admin.get(address).content.decode()
    row = "<td>{}</td><td>24 h</td><td>{}</td><td>{}</td><td>+0.200</td>"
    assert row.format("2024-01-01", 7, 35) in page
    assert row.format("2024-01-08", 2, 10) in page


def act(client: Client, model: type[Model], action: str, *rows: Any) -> str:
    response = client.post(
        page_of(model, "changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows]},
        follow=True,
    )
    return response.content.decode()


def test_staff_promote_through_the_gate_only(admin: Client) -> None:
    _, challenger = make_rivals(make_region(rings=0))
    said = act(admin, ModelVersion, "promote", challenger)
    assert "does not replace poisson_glm-1: at 86400 s only 0 of 14 windows" in said
    challenger.refresh_from_db()
    assert challenger.state == "challenger"
    assert "challenger has" not in act(admin, ModelVersion, "retire", challenger)
    challenger.refresh_from_db()
    assert challenger.state == "retired"


def test_staff_cancel_jobs_and_try_them_again(admin: Client) -> None:
    job = Job.objects.create(kind="tested")
    assert "done." in act(admin, Job, "cancel", job)
    assert "has cancelled already" in act(admin, Job, "cancel", job)
    act(admin, Job, "retry", job)
    job.refresh_from_db()
    assert job.state == "queued"


def test_staff_who_only_look_cannot_act() -> None:
    job = Job.objects.create(kind="tested")
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_job"))
    client = Client()
    client.force_login(viewer)
    act(client, Job, "cancel", job)
    job.refresh_from_db()
    assert job.state == "queued"
