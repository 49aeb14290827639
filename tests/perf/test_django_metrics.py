"""Saving rows is counted by model, without making deletions slow."""

import pytest
from django.apps import apps
from django.db.models import Model
from django.db.models.signals import post_delete, pre_delete
from django.test import Client
from prometheus_client import REGISTRY

from perf.django_metrics import SERVED
from riskplatform.api.keys.models import Organisation

OWN = [
    model
    for label in ("riskplatform", "analytics", "scoring", "perf")
    for config in apps.get_app_configs()
    if config.name.split(".")[0] == label
    for model in config.get_models()
]


def count_inserts() -> float:
    labels = {"model": Organisation._meta.label_lower}
    return REGISTRY.get_sample_value("django_model_inserts_total", labels) or 0.0


@pytest.mark.django_db
def test_a_saved_row_is_counted() -> None:
    before = count_inserts()
    Organisation.objects.create(slug="counted", name="Counted")
    assert count_inserts() == before + 1


@pytest.mark.parametrize("model", OWN, ids=lambda model: model._meta.label)
def test_rows_are_not_read_to_be_deleted(model: type[Model]) -> None:
    assert not pre_delete.has_listeners(model)
    assert not post_delete.has_listeners(model)


def count_responses(**labels: str) -> float:
    name = "django_http_responses_total_by_status_view_method_total"
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_response_is_counted_by_its_view(client: Client) -> None:
    live = {"status": "200", "view": "live", "method": "GET"}
    absent = {"status": "404", "view": "<unnamed view>", "method": "<invalid method>"}
    before = count_responses(**live), count_responses(**absent)
    client.get("/health/live")
    client.generic("BREW", "/nowhere")
    after = count_responses(**live), count_responses(**absent)
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)


def test_only_metrics_that_are_served_are_registered() -> None:
    found = {name for name in REGISTRY._names_to_collectors if "django_http" in name}
    bare = {
        name.removesuffix("_total").removesuffix("_created")
        for name in found
        if not name.endswith(("_bucket", "_sum", "_count"))
    }
    assert bare == SERVED
