"""Two imports of one file at the same moment end like one."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections

from analytics.ingest.importer import ImportPlan, import_file
from analytics.ingest.report import ImportReport
from analytics.models import Event
from analytics.reads.features import region_extent
from analytics.store.clickhouse import insert_columns
from tests.support.chicago import NOW, WriteCsv, good_row

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]

IMPORT = """
import sys
from pathlib import Path
import django
django.setup()
from tests.support.chicago import CHICAGO, NOW
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.importer import ImportPlan, import_file
plan = ImportPlan(column_map=ColumnMap.parse(sys.argv[2]), grid=CHICAGO,
    source="police")
import_file(Path(sys.argv[1]), plan=plan, now=NOW)
"""


def test_two_threads_that_both_found_nothing_store_each_event_once(
    write_csv: WriteCsv, plan: ImportPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(*map(good_row, range(200)))
    both_looked = threading.Barrier(2, timeout=30)

    def insert_together(name: str, table: str, columns: dict[str, list[object]]) -> int:
        both_looked.wait()
        return insert_columns(name, table, columns)

    def run(_number: int) -> ImportReport:
        return import_file(path, plan=plan, now=NOW)

    monkeypatch.setattr("analytics.ingest.storage.insert_columns", insert_together)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(run, range(2)))

    assert [report.accepted for report in reports] == [200, 200]
    assert len(set(stored_ids())) == len(stored_ids()) == 200
    assert region_extent("chicago").count == 200


def test_two_processes_at_once_end_like_one(
    write_csv: WriteCsv, plan: ImportPlan
) -> None:
    path = write_csv(*map(good_row, range(5_000)), name="events.csv.gz")

    importers = [_start_import(path, plan) for _ in range(2)]

    assert [importer.wait(timeout=60) for importer in importers] == [0, 0]
    assert region_extent("chicago").count == 5_000
    assert len(set(stored_ids())) == 5_000


def stored_ids() -> list[str]:
    return sorted(Event.objects.merged().values_list("external_id", flat=True))


def _start_import(path: Path, plan: ImportPlan) -> "subprocess.Popen[bytes]":
    url = os.environ["CLICKHOUSE_URL"].rsplit("/", 1)[0]
    database = connections["clickhouse"].settings_dict["NAME"]
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(path), str(plan.column_map)],
        env={**os.environ, "CLICKHOUSE_URL": f"{url}/{database}"},
    )
