"""Files of events in, each good row stored once, and a report that adds up."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from analytics.ingest.column_map import ColumnMap
from analytics.ingest.importer import ImportMode, ImportPlan, import_file
from analytics.ingest.report import ImportProgress
from analytics.models import Event
from analytics.reads.features import region_extent
from tests.support.chicago import CHICAGO, NOW, ImportRows, WriteCsv, good_row

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]

XYT = ColumnMap.parse("occurred_at=T,lat=Y,lon=X,event_type:shooting,attributes.by=W")


def test_row_becomes_an_event_with_all_it_said(
    write_csv: WriteCsv, plan: ImportPlan
) -> None:
    path = write_csv(
        "2022-07-01T12:00:00.250,41.8,-87.6,arson,2.5,7,900,D3",
        header="time,lat,lon,kind,severity,id,loss,district",
    )
    column_map = ColumnMap.parse(
        f"{plan.column_map},amount=loss,attributes.district=district"
    )

    import_file(
        path,
        plan=replace(plan, column_map=column_map, default_timezone="America/Chicago"),
        now=NOW,
    )

    event = Event.objects.get()
    cell = int(CHICAGO.cells_of(np.array([41.8]), np.array([-87.6]))[0])
    assert (event.region, event.cell, event.source) == ("chicago", cell, "police")
    assert event.occurred_at == datetime(2022, 7, 1, 17, 0, 0, 250_000, tzinfo=UTC)
    assert event.ingested_at == NOW
    assert (event.event_type, event.external_id) == ("arson", "7")
    assert (event.lat, event.lon) == (41.8, -87.6)
    assert (event.severity, event.amount) == (2.5, 900.0)
    assert event.attributes == {"district": "D3"}


def test_unmapped_fields_stay_unknown(write_csv: WriteCsv, plan: ImportPlan) -> None:
    path = write_csv("2022-07-01T12:00Z,41.8,-87.6,", header="T,Y,X,W")

    import_file(path, plan=replace(plan, column_map=XYT), now=NOW)

    event = Event.objects.get()
    assert (event.severity, event.amount, event.attributes) == (None, None, {})
    assert event.event_type == "shooting"


def test_report_adds_up(import_rows: ImportRows) -> None:
    report = import_rows(
        good_row(1), good_row(2), good_row(1), "", "1,2,3", good_row(3)
    )

    assert (report.accepted, report.duplicates, report.rejected_count) == (3, 1, 1)
    assert report.rejected_by_code == {"ragged_row": 1}
    assert report.first_occurred_at == datetime(2022, 1, 2, tzinfo=UTC)
    assert report.last_occurred_at == datetime(2022, 1, 4, tzinfo=UTC)
    assert report.cells == region_extent("chicago").cells_with_events
    assert report.broken_off is None


def test_dry_run_reports_the_same_and_stores_nothing(
    write_csv: WriteCsv, plan: ImportPlan
) -> None:
    path = write_csv(good_row(1), good_row(2), good_row(1), "bad")

    dry = import_file(path, plan=plan, now=NOW, mode=ImportMode(dry_run=True))

    assert region_extent("chicago").count == 0
    real = import_file(path, plan=plan, now=NOW)
    assert replace(dry, is_dry_run=False, seconds=real.seconds) == real


def test_progress_is_told_after_every_chunk(
    write_csv: WriteCsv, plan: ImportPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.ingest.rows.MAX_ROWS", 4)
    told: list[ImportProgress] = []

    import_file(
        write_csv(*map(good_row, range(10))),
        plan=plan,
        now=NOW,
        on_progress=told.append,
    )

    assert [progress.rows for progress in told] == [4, 8, 10]
    assert told[-1].fraction == 1.0
    assert told[-1].left_s == 0.0


@pytest.mark.parametrize("name", ["events.csv", "events.csv.gz", "events.data"])
def test_packing_is_told_by_content(
    write_csv: WriteCsv, plan: ImportPlan, name: str
) -> None:
    report = import_file(write_csv(good_row(1), name=name), plan=plan, now=NOW)

    assert report.accepted == 1


def test_byte_order_mark_is_no_part_of_the_first_column(
    tmp_path: Path, plan: ImportPlan
) -> None:
    path = tmp_path / "events.csv"
    path.write_text("T,Y,X,W\n2022-07-01T12:00Z,41.8,-87.6,a\n", encoding="utf-8-sig")

    report = import_file(path, plan=replace(plan, column_map=XYT), now=NOW)

    assert report.accepted == 1
