"""The event table: what the model says is what the migration builds."""

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from analytics.models import Event
from analytics.store.clickhouse import fetch_rows
from analytics.store.routers import ClickHouseRouter

pytestmark = pytest.mark.django_db(databases=["clickhouse"])


def test_migrations_build_the_table_of_the_model() -> None:
    loader = MigrationLoader(None)
    migrated = loader.project_state().apps.get_model("analytics", "Event")
    with connections["clickhouse"].schema_editor(collect_sql=True) as editor:
        built, wanted = (editor.table_sql(model) for model in (migrated, Event))

    assert [str(part) for part in built] == [str(part) for part in wanted]


def test_table_is_partitioned_ordered_and_indexed_as_designed() -> None:
    rows = fetch_rows(
        "test",
        """
        SELECT engine_full, sorting_key, primary_key, partition_key FROM system.tables
        WHERE database = currentDatabase() AND name = 'analytics_event'
        """,
    )

    ((engine, *keys),) = rows
    assert engine.startswith("ReplacingMergeTree(version) ")
    assert keys == [
        "region, cell, occurred_at, source, external_id",
        "region, cell, occurred_at",
        "(toYear(occurred_at, 'UTC'))",
    ]


def test_columns_have_their_types() -> None:
    rows = fetch_rows(
        "test",
        """
        SELECT name, type FROM system.columns
        WHERE database = currentDatabase() AND table = 'analytics_event'
        """,
    )

    assert dict(rows) == {
        "region": "LowCardinality(String)",
        "cell": "UInt64",
        "occurred_at": "DateTime64(3, 'UTC')",
        "ingested_at": "DateTime64(3, 'UTC')",
        "event_type": "LowCardinality(String)",
        "source": "LowCardinality(String)",
        "external_id": "String",
        "lat_e7": "Int32",
        "lon_e7": "Int32",
        "severity": "Nullable(Float64)",
        "amount": "Nullable(Float64)",
        "attributes": "Map(LowCardinality(String), String)",
        "version": "UInt64",
        "is_deleted": "UInt8",
    }


@pytest.mark.parametrize(
    ("model", "database", "is_allowed"),
    [
        (Event, "clickhouse", True),
        (Event, "default", False),
        (User, "clickhouse", False),
        # Other routers have their say on it.
        (User, "default", None),
    ],
)
def test_models_live_in_their_database_only(
    model: type[Event | User], database: str, is_allowed: bool | None
) -> None:
    router = ClickHouseRouter()
    label = model._meta.app_label

    assert router.allow_migrate(database, label, model=model) is is_allowed
    assert (router.db_for_read(model) == "clickhouse") is (model is Event)
    assert (router.db_for_write(model) == "clickhouse") is (model is Event)


@pytest.mark.parametrize(
    ("database", "plain", "for_clickhouse"),
    [("clickhouse", False, True), ("default", None, False)],
)
def test_migrations_without_a_model_run_where_they_say(
    database: str, plain: bool | None, for_clickhouse: bool
) -> None:
    router = ClickHouseRouter()

    assert router.allow_migrate(database, "scoring") is plain
    assert (
        router.allow_migrate(database, "analytics", clickhouse=True) is for_clickhouse
    )
