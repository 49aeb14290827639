"""Staff pages: each costs the same number of queries for one row and for twenty."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from perf.jobs.models import Job
from scoring.models import Cell, Forecast, ModelVersion, Region
from tests.support.factories import make_forecast, make_model_version, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

MODELS = (Region, Cell, ModelVersion, Forecast)


def fill(count: int) -> None:
    for number in range(count):
        region = make_region(f"region-{number}", rings=0)
        make_forecast(region, model_version=make_model_version(region))


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_for_one_row_and_for_twenty(
    model: Any, admin: Client, django_assert_max_num_queries: Any
) -> None:
    address = reverse(f"admin:scoring_{model._meta.model_name}_changelist")
    counts = []
    for count in (1, 20):
        Region.objects.all().delete()
        fill(count)
        admin.get(address)
        with django_assert_max_num_queries(12) as queries:
            assert admin.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", MODELS)
def test_a_row_can_be_looked_at(model: Any, admin: Client) -> None:
    fill(1)
    row = model.objects.first()
    address = reverse(f"admin:scoring_{model._meta.model_name}_change", args=[row.pk])
    assert admin.get(address).status_code == 200


@pytest.mark.parametrize("model", [Cell, ModelVersion, Forecast])
def test_what_services_write_cannot_be_written_by_hand(
    model: Any, admin: Client
) -> None:
    fill(1)
    name = model._meta.model_name
    row = model.objects.first()
    assert admin.get(reverse(f"admin:scoring_{name}_add")).status_code == 403
    change = reverse(f"admin:scoring_{name}_change", args=[row.pk])
    assert admin.post(change, {}).status_code == 403
    delete = reverse(f"admin:scoring_{name}_delete", args=[row.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403


def test_staff_can_queue_a_refresh(admin: Client) -> None:
    region = make_region()
    response = admin.post(
        reverse("admin:scoring_region_changelist"),
        {"action": "fit_model", "_selected_action": [region.pk]},
        follow=True,
    )
    assert "Queued for the worker: chicago." in response.content.decode()
    job = Job.objects.get()
    assert (job.kind, job.state) == ("fit-model", "queued")
    assert job.parameters == {"region": "chicago", "kind": "ensemble"}


def test_every_model_of_scoring_that_people_read_is_registered() -> None:
    registered = {model.__name__ for model in admin.site._registry}
    assert {model.__name__ for model in MODELS} <= registered
