import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import h3.api.basic_int as h3
import pytest
from django.core.management import CommandError, call_command

from analytics.reads.features import region_extent
from scoring.models import Region
from tests.support.factories import make_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]

MAP = "occurred_at=time,lat=y,lon=x"
ROWS = (
    "time,y,x",
    "2023-05-01T10:00:00Z,41.85,-87.68",
    "2023-05-02T11:30:00Z,41.86,-87.69",
    "2023-05-03T12:00:00Z,195.2,-87.69",
    "not a time,41.86,-87.69",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv"
    path.write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    return path


def run(*args: Any, **options: Any) -> tuple[dict[str, Any], str]:
    out, err = StringIO(), StringIO()
    call_command(
        "import_events", *args, map=MAP, json=True, stdout=out, stderr=err, **options
    )
    return json.loads(out.getvalue()), err.getvalue()


def test_stores_good_rows_and_lists_every_other_with_its_reason(file: Path) -> None:
    region = make_region()
    report, said = run(str(file), region="chicago")
    assert (report["accepted"], report["rejected_count"]) == (2, 2)
    assert region_extent(region.slug).count == 2
    assert "calls.csv, row 4, column y: " in said
    assert "calls.csv, row 5, column time: " in said


def test_a_second_import_adds_nothing(file: Path) -> None:
    make_region()
    run(str(file), region="chicago")
    report, _ = run(str(file), region="chicago")
    assert (report["accepted"], report["duplicates"]) == (0, 2)
    assert region_extent("chicago").count == 2


def test_makes_a_region_of_the_cells_around_the_events(file: Path) -> None:
    run(
        str(file),
        region="lakeside",
        create=True,
        resolution=7,
        timezone="America/Chicago",
    )
    region = Region.objects.get(slug="lakeside")
    cells = set(region.cells.values_list("h3", flat=True))
    assert h3.grid_disk(h3.latlng_to_cell(41.85, -87.68, 7), 1)[0] in cells
    assert {h3.get_resolution(cell) for cell in cells} == {7}


def test_a_dry_run_stores_neither_events_nor_a_region(file: Path) -> None:
    report, _ = run(str(file), region="lakeside", create=True, dry_run=True)
    assert (report["accepted"], report["is_dry_run"]) == (2, True)
    assert region_extent("lakeside").count == 0
    assert not Region.objects.exists()


def test_writes_every_refused_row_to_a_file(file: Path, tmp_path: Path) -> None:
    make_region()
    listing = tmp_path / "refused.csv"
    run(str(file), region="chicago", rejections=listing)
    with listing.open(encoding="utf-8", newline="") as refused:
        rows = list(csv.DictReader(refused))
    assert [(row["row"], row["column"]) for row in rows] == [("4", "y"), ("5", "time")]
    assert [row["code"] for row in rows] == ["coordinate_out_of_range", "bad_time"]


def test_a_refused_row_is_no_formula(tmp_path: Path) -> None:
    make_region()
    file, listing = tmp_path / "calls.csv", tmp_path / "refused.csv"
    times = "2023-05-01T10:00:00Z"
    good, bad = f"{times},41.85,-87.68", f"{times},-99.5,-87.68"
    rows = ("time,y,x", "=1+1,41.85,-87.68", bad, good)
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    run(str(file), region="chicago", rejections=listing)
    with listing.open(encoding="utf-8", newline="") as refused:
        values = [row["value"] for row in csv.DictReader(refused)]
    assert values == ["'=1+1", "-99.5"]


def test_an_unknown_region_says_how_to_make_it(file: Path) -> None:
    with pytest.raises(CommandError, match="--create"):
        run(str(file), region="nowhere")


def test_missing_columns_are_named_with_those_there_are(file: Path) -> None:
    make_region()
    with pytest.raises(CommandError, match=r"(?s)latitude.*time, y, x"):
        call_command(
            "import_events",
            str(file),
            region="chicago",
            map="occurred_at=time,lat=latitude,lon=x",
            stderr=StringIO(),
        )
