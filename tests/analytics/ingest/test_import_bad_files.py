"""Files that are empty, cut off or no event files at all."""

import gzip
from pathlib import Path

import pytest

from analytics.errors import ColumnMapError, EventFileError
from analytics.ingest.importer import ImportPlan, import_file
from analytics.reads.features import region_extent
from tests.support.chicago import HEADER, NOW, WriteCsv, good_row

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]


def test_file_without_rows_is_refused(write_csv: WriteCsv, plan: ImportPlan) -> None:
    with pytest.raises(EventFileError) as caught:
        import_file(write_csv(), plan=plan, now=NOW)

    assert caught.value.message == "events.csv has a header but no rows."


def test_file_of_other_columns_is_refused(
    write_csv: WriteCsv, plan: ImportPlan
) -> None:
    with pytest.raises(ColumnMapError) as caught:
        import_file(write_csv("1,2,3", header="T,Y,X"), plan=plan, now=NOW)

    assert caught.value.message == (
        "events.csv, row 1: there is no column time, lat, lon, kind, severity, id."
        " The columns are: T, Y, X. Try the map occurred_at=T,lat=Y,lon=X"
    )


def test_rows_before_a_truncation_are_kept_and_the_rest_comes_with_the_whole_file(
    tmp_path: Path, plan: ImportPlan
) -> None:
    rows = [good_row(number) for number in range(8_000)]
    content = "\n".join([HEADER, *rows, ""]).encode()
    packed = gzip.compress(content)
    path = tmp_path / "events.csv.gz"
    path.write_bytes(packed[: len(packed) // 2])

    report = import_file(path, plan=plan, now=NOW)

    assert report.broken_off is not None
    assert 1_000 < report.accepted < 8_000
    assert str(report.broken_off) == (
        f"events.csv.gz, row {report.accepted + 2}: the gzip file ends here, before its"
        " end mark, so later rows are missing. Fetch the file again and repeat the"
        " import."
    )
    path.write_bytes(packed)
    again = import_file(path, plan=plan, now=NOW)
    assert (again.accepted, again.duplicates) == (
        8_000 - report.accepted,
        report.accepted,
    )
    assert region_extent("chicago").count == 8_000


def test_damage_is_reported_and_rows_before_it_are_kept(
    tmp_path: Path, plan: ImportPlan
) -> None:
    rows = [good_row(number) for number in range(8_000)]
    packed = bytearray(gzip.compress("\n".join([HEADER, *rows, ""]).encode()))
    middle = len(packed) // 2
    packed[middle : middle + 50] = b"\xff" * 50
    path = tmp_path / "events.csv.gz"
    path.write_bytes(packed)

    report = import_file(path, plan=plan, now=NOW)

    assert report.broken_off is not None
    assert report.broken_off.code == "corrupt_file"
    assert 1_000 < report.accepted < 8_000


def test_gzip_that_breaks_before_its_header_is_refused(
    tmp_path: Path, plan: ImportPlan
) -> None:
    path = tmp_path / "events.csv.gz"
    path.write_bytes(gzip.compress(HEADER.encode())[:14])

    with pytest.raises(EventFileError) as caught:
        import_file(path, plan=plan, now=NOW)

    assert caught.value.message == (
        "events.csv.gz, row 1: the gzip file ends here, before its end mark, so later"
        " rows are missing. Fetch the file again and repeat the import."
    )
