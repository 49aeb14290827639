"""Sends ClickHouse models to the "clickhouse" database and nothing else there."""

from typing import Any

from clickhouse_backend.models import ClickhouseModel
from django.conf import settings
from django.db.models import Model

CLICKHOUSE = "clickhouse"


class ClickHouseRouter:
    """Routes by model; `hints={"clickhouse": True}` routes a model-less migration."""

    def db_for_read(self, model: type[Model], **_hints: Any) -> str | None:
        return CLICKHOUSE if _is_clickhouse(model) else None

    def db_for_write(self, model: type[Model], **_hints: Any) -> str | None:
        return CLICKHOUSE if _is_clickhouse(model) else None

    def allow_relation(self, one: Model, other: Model, **_hints: Any) -> bool | None:
        if _is_clickhouse(type(one)) or _is_clickhouse(type(other)):
            return False
        return None

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        if db in settings.CLICKHOUSE_REPLICAS:
            # ClickHouse copies tables to its replicas by itself.
            return False
        model = hints.get("model")
        if model is None:
            belongs = bool(hints.get("clickhouse", False))
        else:
            belongs = _is_clickhouse(model)
        if belongs != (db == CLICKHOUSE):
            return False
        # Whatever else there is to say about other databases, others say.
        return True if belongs else None


def _is_clickhouse(model: type[Model]) -> bool:
    # A migration's model has lost its abstract base but keeps its engine.
    options = model._meta  # noqa: SLF001 - documented interface of Django
    return issubclass(model, ClickhouseModel) or hasattr(options, "engine")
