"""Counts rows that are saved and deleted one by one, by model, for django-prometheus.

Its mixin would be a base class of every model. Bulk writes send no signals and are not
counted, as there.
"""

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save
from django_prometheus.models import model_deletes, model_inserts, model_updates


def count_model_changes() -> None:
    post_save.connect(_count_save, dispatch_uid="perf.model_changes")
    post_delete.connect(_count_delete, dispatch_uid="perf.model_changes")


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


def _count_delete(sender: type[Model], **_kwargs: Any) -> None:
    model_deletes.labels(sender._meta.label_lower).inc()  # noqa: SLF001 - Django's name
