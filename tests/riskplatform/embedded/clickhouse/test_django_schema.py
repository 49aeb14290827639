import io
import uuid
from collections.abc import Generator

import pytest
from clickhouse_backend import models
from django.core.management import call_command
from django.db import connections, migrations
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from pytest_django import DjangoDbBlocker

from tests.riskplatform.embedded.clickhouse.djangomodels import ALIAS

LABEL = "conformance"


@pytest.fixture(autouse=True)
def _real_database(django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def table() -> Generator[str]:
    name = f"conformance_{uuid.uuid4().hex}"
    yield name
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")


def create_operation(table: str) -> migrations.CreateModel:
    return migrations.CreateModel(
        name="Event",
        fields=[
            ("id", models.UInt64Field(primary_key=True)),
            ("kind", models.StringField(low_cardinality=True)),
            ("amount", models.Float64Field(null=True)),
            ("tags", models.ArrayField(models.StringField())),
        ],
        options={"db_table": table, "engine": models.MergeTree(order_by="id")},
    )


def migrate(*operations: migrations.operations.base.Operation) -> None:
    migration_class = type(
        "Initial", (migrations.Migration,), {"operations": operations}
    )
    with connections[ALIAS].schema_editor() as editor:
        migration_class("0001_initial", LABEL).apply(ProjectState(), editor)


def columns_of(table: str) -> dict[str, str]:
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT name, type FROM system.columns "
            "WHERE table = %s AND database = currentDatabase()",
            [table],
        )
        return dict(cursor.fetchall())


def test_a_migration_creates_and_alters_a_table(table: str) -> None:
    migrate(
        create_operation(table),
        migrations.AddField("Event", "severity", models.UInt8Field(default=0)),
        migrations.RemoveField("Event", "amount"),
        migrations.AlterField("Event", "kind", models.StringField()),
        migrations.RenameField("Event", "tags", "labels"),
    )
    assert columns_of(table) == {
        "id": "UInt64",
        "kind": "String",
        "labels": "Array(String)",
        "severity": "UInt8",
    }


def test_a_migration_adds_and_removes_an_index(table: str) -> None:
    index = models.Index(
        fields=["kind"], name="kind_set", type=models.Set(100), granularity=4
    )
    migrate(create_operation(table), migrations.AddIndex("Event", index))
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT name, type, granularity FROM system.data_skipping_indices "
            "WHERE table = %s",
            [table],
        )
        assert cursor.fetchall() == [("kind_set", "set", 4)]


def test_applied_migrations_are_recorded_and_forgotten() -> None:
    recorder = MigrationRecorder(connections[ALIAS])
    name = f"0001_{uuid.uuid4().hex}"
    recorder.record_applied(LABEL, name)
    assert (LABEL, name) in recorder.applied_migrations()
    recorder.record_unapplied(LABEL, name)
    assert (LABEL, name) not in recorder.applied_migrations()


def test_inspectdb_describes_a_table(table: str) -> None:
    migrate(create_operation(table))
    output = io.StringIO()
    call_command("inspectdb", table, database=ALIAS, stdout=output)
    described = output.getvalue()
    assert "id = models.UInt64Field(" in described
    assert "kind = models.StringField(low_cardinality=True" in described
    assert "amount = models.Float64Field(" in described
    assert f"db_table = '{table}'" in described


def test_introspection_lists_tables_of_the_current_database(table: str) -> None:
    migrate(create_operation(table))
    connection = connections[ALIAS]
    assert table in connection.introspection.table_names()
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, table)
    assert [column.name for column in found] == ["id", "kind", "amount", "tags"]
