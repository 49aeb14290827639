"""Saving rows is counted by model, without making deletions slow."""

import pytest
from django.apps import apps
from django.db.models import Model
from django.db.models.signals import post_delete, pre_delete
from prometheus_client import REGISTRY

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
