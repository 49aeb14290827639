"""However a file is damaged: a report that adds up or a sentence, and no traceback."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from analytics.grid import RegionGrid
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.files import FileFormat
from analytics.ingest.importer import ImportPlan, import_file
from analytics.ingest.reading_options import AS_A_POST, ReadingOptions
from analytics.ingest.report import ImportProgress, ImportReport
from riskplatform.kernel.errors import ApplicationError
from tests.analytics.ingest.mutated_files import mutated_file
from tests.support.chicago import NOW

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]
PLAN = ImportPlan(
    column_map=ColumnMap.parse(
        "occurred_at=time,lat=lat,lon=lon,severity=mag,external_id=id"
    ),
    grid=RegionGrid(slug="chicago", resolution=8, timezone="UTC"),
    source="fuzz",
    default_timezone="UTC",
    is_dry_run=True,
    updates=False,
    options=ReadingOptions(is_lenient=True),
)


def brought(content: bytes, file_format: FileFormat, path: Path) -> ImportReport | str:
    """Import a file; give its report, or the sentence that says why there is none."""
    path.write_bytes(content)
    seen = [0]

    def note(progress: ImportProgress) -> None:
        seen[0] = progress.rows_done

    is_lenient = len(content) % 3 > 0
    options = ReadingOptions(is_lenient=True) if is_lenient else AS_A_POST
    plan = replace(PLAN, file_format=file_format, options=options)
    try:
        report = import_file(path, plan=plan, now=NOW, on_progress=note)
    except ApplicationError as error:
        return error.message
    assert report.row_count == seen[0]
    return report


def check(numbers: Iterable[int], folder: Path) -> tuple[int, int]:
    """Import many files; give how many rows were taken and refused in all."""
    accepted = refused = 0
    for number in numbers:
        content, file_format = mutated_file(number)
        told = brought(content, file_format, folder / "events")
        if isinstance(told, str):
            assert told
            continue
        assert all(it.reason and it.row for it in told.rejected), number
        assert sum(told.rejected_by_code.values()) == told.rejected_count, number
        assert sum(told.emptied_by_column.values()) == told.emptied_count, number
        # No row goes without a word: where nothing breaks a line, each is one.
        is_plain = b'"' not in content and not content.startswith(b"\x1f\x8b")
        if file_format is FileFormat.CSV and is_plain and told.broken_off is None:
            lines = [it for it in content.splitlines() if it.strip()]
            heads = 1 + bool(re.fullmatch(rb"(\xef\xbb\xbf)?sep=.", lines[0]))
            assert told.row_count == len(lines) - heads, number
        accepted += told.accepted
        refused += told.rejected_count
    return accepted, refused


def test_some_hundred_mutated_files_add_up(tmp_path: Path) -> None:
    accepted, refused = check(range(300), tmp_path)

    assert accepted > 100
    assert refused > 50


@pytest.mark.long
def test_twenty_thousand_mutated_files_add_up(tmp_path: Path) -> None:
    accepted, refused = check(range(20_000), tmp_path)

    assert accepted > 10_000
    assert refused > 5_000
