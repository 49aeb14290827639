"""An import that is killed goes on where it was; one file from two at once is once."""

import signal
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from analytics.ingest import rows
from analytics.ingest.report import ImportProgress
from analytics.ingest.saved import note_progress
from analytics.models import ImportRun
from analytics.store.clickhouse import fetch_rows
from scoring.services import regions
from tests.analytics.ingest.event_files import (
    IMPORT,
    MAP,
    WITHOUT_ID,
    stored_count,
    write_events,
)
from tests.support.event_payloads import stored
from tests.support.factories import make_region
from tests.support.processes import start_python
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"], transaction=True),
    pytest.mark.usefixtures("empty_store", "one_region", "fresh_backlog"),
    pytest.mark.databases,
]
TIMEOUT_S = 60.0
EVENT_COUNT = 6_000


def run(path: Path, column_map: str = MAP, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command(
        "import_events",
        *(
            str(path),
            "--region",
            "chicago",
            "--source",
            "police",
            "--map",
            column_map,
            "--json",
        ),
        stdout=out,
        stderr=StringIO(),
        **options,
    )
    report: dict[str, Any] = orjson.loads(out.getvalue())
    return report


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 500)


@pytest.mark.parametrize("column_map", [MAP, WITHOUT_ID])
@pytest.mark.usefixtures("small_chunks")
def test_a_killed_import_goes_on_where_it_was(tmp_path: Path, column_map: str) -> None:
    make_region()
    path = write_events(tmp_path / "e.csv", EVENT_COUNT)
    options = ("--region", "chicago", "--source", "police", "--map", column_map)
    importer = start_python(IMPORT, "1", str(path), *options)
    try:
        wait_for_rows(1_500)
    finally:
        importer.kill()
    assert importer.wait(30) == -signal.SIGKILL
    settled = ImportRun.objects.get().rows_done
    assert 1_500 <= settled < EVENT_COUNT

    report = run(path, column_map)

    assert report["skipped"] == settled
    assert report["accepted"] + report["duplicates"] == EVENT_COUNT + 1 - settled
    # Without ids, the row that comes twice is two events.
    count = EVENT_COUNT + (column_map == WITHOUT_ID)
    assert stored_count() == len(set(stored())) == count
    assert [it.state for it in ImportRun.objects.order_by("started_at")] == [
        "running",
        "finished",
    ]
    assert run(path, column_map)["duplicates"] == EVENT_COUNT + 1


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupted_import_can_begin_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_region()
    path = write_events(tmp_path / "e.csv", 1_999)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(regions, "note_progress", note_until(1_000))
        with pytest.raises(CommandError, match="The same command goes on") as ended:
            run(path)
    assert ended.value.returncode == 130

    report = run(path, restart=True)

    assert report["skipped"] == 0
    assert report["accepted"] + report["duplicates"] == 2_000
    assert report["duplicates"] > 1_000
    assert stored_count() == 1_999


def test_three_times_from_two_processes_at_once_is_once(tmp_path: Path) -> None:
    make_region()
    path = write_events(tmp_path / "e.csv", EVENT_COUNT)
    options = ("--region", "chicago", "--source", "police", "--map", MAP)

    importers = [start_python(IMPORT, "3", str(path), *options) for _ in range(2)]

    assert [importer.wait(timeout=120) for importer in importers] == [0, 0]
    assert stored_count() == len(set(stored())) == EVENT_COUNT
    ((kept,),) = fetch_rows(
        "test", "SELECT uniqExact(external_id) FROM analytics_event"
    )
    assert kept == EVENT_COUNT
    assert {run.state for run in ImportRun.objects.all()} == {"finished"}


def test_several_workers_store_the_same(tmp_path: Path) -> None:
    make_region()
    path = write_events(tmp_path / "e.csv", EVENT_COUNT)
    options = (
        "--region",
        "chicago",
        "--source",
        "police",
        "--map",
        MAP,
        "--workers",
        "2",
    )

    importer = start_python(IMPORT, "2", str(path), *options)

    assert importer.wait(timeout=120) == 0
    assert stored_count() == len(set(stored())) == EVENT_COUNT
    counts = ImportRun.objects.order_by("started_at").values_list(
        "accepted_count", "duplicate_count", "rows_done"
    )
    assert list(counts) == [
        (EVENT_COUNT, 1, EVENT_COUNT + 1),
        (0, EVENT_COUNT + 1, EVENT_COUNT + 1),
    ]


def note_until(count: int) -> Callable[[ImportRun, ImportProgress], None]:
    def note(import_run: ImportRun, progress: ImportProgress) -> None:
        note_progress(import_run, progress)
        if progress.rows_done >= count:
            raise KeyboardInterrupt

    return note


def wait_for_rows(count: int) -> None:
    far_enough = ImportRun.objects.filter(rows_done__gte=count)
    wait_until(far_enough.exists, within_s=TIMEOUT_S, what="the import")
