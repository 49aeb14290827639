"""How the files of a source are read is said once and used by name."""

from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.models import Event, ImportRun, ImportSource
from analytics.store.clickhouse import fetch_rows
from scoring.models import Region
from tests.analytics.ingest.event_files import MAP, stored_count, write_events
from tests.support.factories import make_region
from tests.support.processes import start_python

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"], transaction=True),
    pytest.mark.usefixtures("empty_store", "one_region", "fresh_backlog"),
]
STREAM = """
import sys
from django.core.management import call_command
call_command("import_events", "-", *sys.argv[1:])
"""


def run(*words: str, **options: Any) -> str:
    out = StringIO()
    call_command("import_events", *words, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_a_map_is_saved_listed_and_used(tmp_path: Path) -> None:
    make_region()
    first = write_events(tmp_path / "first.txt", 3)
    second = write_events(tmp_path / "second.txt", 5)
    options = ("--region", "chicago", "--times-in", "America/Chicago")

    run(str(first), *options, "--map", MAP, "--save-source", "police")
    told = run(str(second), "--region", "chicago", "--source", "police", "--json")

    report = orjson.loads(told)
    assert (report["accepted"], report["duplicates"]) == (2, 4)
    assert report["source"] == "police"
    assert set(Event.objects.values_list("source", flat=True)) == {"police"}
    assert run("--list-sources") == f"police: {MAP} --times-in America/Chicago\n"


def test_a_source_that_is_not_saved_needs_a_map(tmp_path: Path) -> None:
    make_region()
    path = write_events(tmp_path / "e.csv", 3)

    with pytest.raises(CommandError, match="There is no saved source 'police'"):
        run(str(path), "--region", "chicago", "--source", "police")
    with pytest.raises(CommandError, match="Say with --map which column means what"):
        run(str(path), "--region", "chicago")
    with pytest.raises(CommandError, match="is not a format of event files"):
        run(str(path), "--region", "chicago", "--map", MAP, "--format", "xls")
    with pytest.raises(CommandError, match="--workers is between 1 and"):
        run(str(path), "--region", "chicago", "--map", MAP, "--workers", "0")


def test_a_rehearsal_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write_events(tmp_path / "e.csv", 3)

    options = ("--map", MAP, "--save-source", "police", "--create", "--dry-run")
    run(str(path), "--region", "new", *options)

    assert not ImportSource.objects.exists()
    assert not ImportRun.objects.exists()
    assert not Region.objects.exists()
    assert stored_count() == 0


def test_events_come_by_the_standard_input(tmp_path: Path) -> None:
    make_region()
    path = write_events(tmp_path / "e.csv", 200)
    options = ("--region", "chicago", "--map", MAP, "--source", "pipe")

    for _ in range(2):
        with path.open("rb") as file:
            assert start_python(STREAM, *options, stdin=file).wait(60) == 0

    assert stored_count() == 200
    assert fetch_rows("test", "SELECT DISTINCT source FROM analytics_event") == [
        ("pipe",)
    ]
    assert not ImportRun.objects.exists()


def test_staff_see_sources_and_runs(admin: Client, tmp_path: Path) -> None:
    make_region()
    pages = [
        reverse(f"admin:analytics_{name}_changelist")
        for name in ("importsource", "importrun")
    ]
    costs = []
    for count in (1, 20):
        for number in range(count):
            ImportSource.objects.create(name=f"s{count}-{number}", column_map=MAP)
            path = write_events(tmp_path / f"e{count}-{number}.csv", 1)
            run(str(path), "--region", "chicago", "--map", MAP, "--source", "police")
        with CaptureQueriesContext(connection) as queries:
            seen = [admin.get(page).content.decode() for page in pages]
        costs.append(len(queries))

    assert costs[0] == costs[1]
    assert "s20-19" in seen[0]
    assert "e20-19.csv" in seen[1]
