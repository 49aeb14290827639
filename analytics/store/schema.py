"""The statements that build the ClickHouse tables, from the models; for clusters too.

On a cluster each shard keeps its tables, replicated, under the usual names. Tables of
the same names in a second database, `<database>_all`, spread inserts over the shards
and gather answers; this is the database that the platform's processes are given.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from clickhouse_backend import models
from django.db import connections
from django.db.migrations.state import ModelState, ProjectState

from analytics.models import (
    Event,
    EventCellDay,
    EventDay,
    EventHour,
    ForecastCell,
    ForecastOutcome,
)

DATABASE = "clickhouse"
MODELS = (
    *(Event, EventHour, EventDay, EventCellDay),
    *(ForecastCell, ForecastOutcome),
)
# Inserts into these come again under their tokens.
DEDUPLICATED = frozenset({Event, ForecastCell, ForecastOutcome})
WINDOW = 10_000
REPLICA_PATH = "/clickhouse/tables/{database}/{table}/{shard}"
REPLICA_NAME = "{replica}"
REPLICATED = {
    models.ReplacingMergeTree: models.ReplicatedReplacingMergeTree,
    models.AggregatingMergeTree: models.ReplicatedAggregatingMergeTree,
}
# All rows that replace one another share what they are sharded by.
SHARDING = {Event: "sipHash64(cell)", EventCellDay: "sipHash64(cell)"}
ANY_SHARD = "rand()"
BY_FORECAST = "sipHash64(forecast_id)"

AnyModel: TypeAlias = Any


def create_statements(
    model: AnyModel, *, cluster: str | None = None, database: str = ""
) -> Iterator[str]:
    """Give the statements for a model's table: on one server, or on each of many."""
    built = model if cluster is None else _replicated(model, cluster, database)
    editor = connections[DATABASE].schema_editor(collect_sql=True)
    create, _ = editor.table_sql(built)
    yield " ".join(str(create).split())
    for index in built._meta.indexes:  # noqa: SLF001 - documented interface of Django
        yield " ".join(str(index.create_sql(built, editor)).split())
    if model in DEDUPLICATED:
        yield _remember(built, cluster)


def distributed_statement(model: AnyModel, *, cluster: str, database: str) -> str:
    """Give the table that stands for the tables of all shards."""
    table = _table(model)
    sharding = SHARDING.get(model) or (
        BY_FORECAST if model in DEDUPLICATED else ANY_SHARD
    )
    return (
        f'CREATE TABLE "{database}_all"."{table}" ON CLUSTER "{cluster}"'
        f' AS "{database}"."{table}"'
        f" ENGINE = Distributed('{cluster}', '{database}', '{table}', {sharding})"
    )


def all_statements(*, cluster: str | None, database: str) -> Iterator[str]:
    """Give all statements, in the order in which they can be run."""
    if cluster is None:
        for model in MODELS:
            yield from create_statements(model)
        return
    for name in (database, f"{database}_all"):
        yield f'CREATE DATABASE IF NOT EXISTS "{name}" ON CLUSTER "{cluster}"'
    for model in MODELS:
        yield from create_statements(model, cluster=cluster, database=database)
        yield distributed_statement(model, cluster=cluster, database=database)


def _replicated(model: AnyModel, cluster: str, database: str) -> AnyModel:
    """Copy a model with the replicated form of its engine."""
    state = ModelState.from_model(model)
    engine = state.options["engine"]
    _, parameters, settings = engine.deconstruct()
    state.options["engine"] = REPLICATED[type(engine)](
        REPLICA_PATH, REPLICA_NAME, other_parameters=parameters, **settings
    )
    state.options["cluster"] = cluster
    # A name in quotation marks is taken as it stands.
    state.options["db_table"] = f'"{database}"."{_table(model)}"'
    project = ProjectState()
    project.add_model(state)
    return project.apps.get_model(state.app_label, state.name)


def _remember(model: AnyModel, cluster: str | None) -> str:
    on, setting = "", "non_replicated_deduplication_window"
    if cluster is not None:
        on, setting = f' ON CLUSTER "{cluster}"', "replicated_deduplication_window"
    table = connections[DATABASE].ops.quote_name(_table(model))
    return f"ALTER TABLE {table}{on} MODIFY SETTING {setting} = {WINDOW}"


def _table(model: AnyModel) -> str:
    return str(model._meta.db_table)  # noqa: SLF001 - documented interface of Django
