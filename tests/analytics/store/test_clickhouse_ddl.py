"""The tables as text: for one server as migrated, for a cluster as designed."""

import os
import re
from io import StringIO

import pytest
from clickhouse_driver import Client
from django.core.management import CommandError, call_command
from django.db import connections

from analytics.store.clickhouse import fetch_rows, run_statement
from analytics.store.schema import MODELS, create_statements

COLUMNS = """
SELECT name, type, compression_codec FROM system.columns
WHERE database = currentDatabase() AND table = %(table)s ORDER BY position
"""
TABLE = """
SELECT engine_full, sorting_key, primary_key, partition_key FROM system.tables
WHERE database = currentDatabase() AND name = %(table)s
"""


def written(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("clickhouse_ddl", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.django_db(databases=["clickhouse"])
@pytest.mark.parametrize("model", MODELS, ids=[model.__name__ for model in MODELS])
def test_text_builds_what_the_migrations_built(model: type) -> None:
    table = str(model._meta.db_table)  # type: ignore[attr-defined]  # a model
    copy = f"{table}_as_text"
    try:
        for statement in create_statements(model):
            run_statement("test", statement.replace(f'"{table}"', f'"{copy}"'))

        for sql in (COLUMNS, TABLE):
            built, migrated = (
                fetch_rows("test", sql, {"table": name}) for name in (copy, table)
            )
            assert built == migrated
    finally:
        run_statement("test", f"DROP TABLE IF EXISTS {copy}")


def test_cluster_has_replicated_tables_and_distributed_ones_over_them() -> None:
    lines = written("--cluster", "main", "--database", "risk")

    assert lines[:2] == [
        'CREATE DATABASE IF NOT EXISTS "risk" ON CLUSTER "main";',
        'CREATE DATABASE IF NOT EXISTS "risk_all" ON CLUSTER "main";',
    ]
    tables = [line for line in lines if line.startswith("CREATE TABLE")]
    assert len(tables) == 2 * len(MODELS)
    assert all(' ON CLUSTER "main"' in line for line in lines)
    assert tables[0].startswith('CREATE TABLE "risk"."analytics_event" ')
    assert (
        "ENGINE = ReplicatedReplacingMergeTree("
        "'/clickhouse/tables/{database}/{table}/{shard}', '{replica}', \"version\")"
    ) in tables[0]
    assert tables[1] == (
        'CREATE TABLE "risk_all"."analytics_event" ON CLUSTER "main"'
        ' AS "risk"."analytics_event"'
        " ENGINE = Distributed('main', 'risk', 'analytics_event', sipHash64(cell));"
    )
    assert "ReplicatedAggregatingMergeTree(" in tables[2]
    assert (
        'ALTER TABLE "risk"."analytics_event" ON CLUSTER "main"'
        " MODIFY SETTING replicated_deduplication_window = 10000;"
    ) in lines


def test_versions_of_an_event_share_their_shard() -> None:
    tables = written("--cluster", "main", "--database", "risk")

    (event,) = [line for line in tables if "'risk', 'analytics_event'," in line]
    sharding = re.search(r"sipHash64\((\w+)\)", event)
    assert sharding is not None
    assert sharding[1] in {"region", "cell", "occurred_at", "source", "external_id"}


@pytest.mark.parametrize("name", ["a b", '"', "x;y", ""])
def test_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(CommandError):
        call_command("clickhouse_ddl", "--cluster", "main", "--database", f"x{name} ")


@pytest.mark.skipif(
    "RISKPLATFORM_TEST_REAL_CLICKHOUSE" not in os.environ,
    reason="Needs a ClickHouse server of its own, named by CLICKHOUSE_URL.",
)
@pytest.mark.django_db(databases=["clickhouse"])
def test_server_with_a_cluster_takes_the_text() -> None:
    clusters = [name for (name,) in fetch_rows("test", CLUSTERS)]
    if not clusters:
        pytest.skip("The server at CLICKHOUSE_URL knows no cluster with a keeper.")
    database = "riskplatform_ddl_test"
    with Client.from_url(os.environ["CLICKHOUSE_URL"]) as client:
        try:
            for line in written("--cluster", clusters[0], "--database", database):
                client.execute(line.rstrip(";"))
            tables = client.execute(f"SHOW TABLES FROM {database}_all")
        finally:
            for name in (f"{database}_all", database):
                client.execute(
                    f"DROP DATABASE IF EXISTS {name} ON CLUSTER {clusters[0]} SYNC"
                )
    assert len(tables) == len(MODELS)
    assert connections["clickhouse"].settings_dict["NAME"] != database


CLUSTERS = """
SELECT DISTINCT cluster FROM system.clusters
WHERE (SELECT count() FROM system.zookeeper_connection) > 0
"""
