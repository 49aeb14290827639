"""Models of the stock Django backend that exist for a test only."""

import uuid
from typing import Any

from clickhouse_backend import models
from django.apps.registry import Apps
from django.db import connections

ALIAS = "clickhouse"


def model_class(name: str, **fields: object) -> Any:
    """Define a model in a registry of its own, on a table no other test uses."""

    class Meta:
        apps = Apps()
        app_label = "conformance"
        db_table = f"conformance_{name.lower()}_{uuid.uuid4().hex}"
        engine = models.MergeTree(order_by="id")

    attributes = {**fields, "Meta": Meta, "__module__": __name__}
    return type(name, (models.ClickhouseModel,), attributes)


def create_table(model: Any) -> None:
    with connections[ALIAS].schema_editor() as editor:
        editor.create_model(model)


def drop_table(model: Any) -> None:
    with connections[ALIAS].schema_editor() as editor:
        editor.delete_model(model)


def rows(model: Any) -> Any:
    return model.objects.using(ALIAS)
