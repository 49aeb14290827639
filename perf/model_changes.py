"""Counts rows that are saved one by one, by model, for django-prometheus.

Its mixin would be a base class of every model. Bulk writes send no signals and are not
counted, as there. Nor are deletions: where a signal of them has a receiver, Django
reads every row before it deletes it.
"""

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_save
from django_prometheus.models import model_inserts, model_updates


def count_model_changes() -> None:
    post_save.connect(_count_save, dispatch_uid="perf.model_changes")


def _count_save(
    sender: type[Model],
    *,
    created: bool,
    raw: bool,
    **_kwargs: Any,
) -> None:
    if not raw:
        metric = model_inserts if created else model_updates
        metric.labels(sender._meta.label_lower).inc()  # noqa: SLF001 - Django's name
