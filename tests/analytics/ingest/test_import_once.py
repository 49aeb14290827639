"""However often and by however many a file is imported, each event is there once."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connections

from analytics.ingest.column_map import ColumnMap
from analytics.ingest.importer import ImportPlan, import_file
from analytics.models import Event
from analytics.reads.features import region_extent
from analytics.store.clickhouse import fetch_rows
from tests.support.chicago import NOW, WriteCsv, good_row

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]

WITHOUT_ID = ColumnMap.parse("occurred_at=time,lat=lat,lon=lon,event_type=kind")


def stored_ids() -> list[str]:
    return sorted(Event.objects.merged().values_list("external_id", flat=True))


@pytest.mark.parametrize("has_id", [True, False])
def test_second_import_adds_nothing(
    write_csv: WriteCsv, plan: ImportPlan, has_id: bool
) -> None:
    path = write_csv(*map(good_row, range(50)))
    plan = plan if has_id else replace(plan, column_map=WITHOUT_ID)

    first = import_file(path, plan=plan, now=NOW)
    ids = stored_ids()
    second = import_file(path, plan=plan, now=NOW)

    assert (first.accepted, first.duplicates) == (50, 0)
    assert (second.accepted, second.duplicates) == (0, 50)
    assert stored_ids() == ids


def test_equal_rows_without_ids_stay_two_events(
    write_csv: WriteCsv, plan: ImportPlan
) -> None:
    path = write_csv(good_row(1), good_row(1), good_row(2))
    plan = replace(plan, column_map=WITHOUT_ID)

    reports = [import_file(path, plan=plan, now=NOW) for _ in range(2)]

    assert [report.accepted for report in reports] == [3, 0]
    assert region_extent("chicago").count == 3


def test_longer_file_adds_what_is_new(write_csv: WriteCsv, plan: ImportPlan) -> None:
    plan = replace(plan, column_map=WITHOUT_ID)
    import_file(write_csv(*map(good_row, range(20))), plan=plan, now=NOW)

    report = import_file(write_csv(*map(good_row, range(30))), plan=plan, now=NOW)

    assert (report.accepted, report.duplicates) == (10, 20)


def test_same_file_in_another_time_zone_corrects_the_times(
    write_csv: WriteCsv, plan: ImportPlan
) -> None:
    path = write_csv(good_row(1).replace("Z", ""))
    plan = replace(plan, column_map=WITHOUT_ID, default_timezone="America/Chicago")
    import_file(path, plan=plan, now=NOW)

    report = import_file(path, plan=replace(plan, default_timezone="UTC"), now=NOW)

    assert (report.accepted, report.rejected) == (1, [])
    assert region_extent("chicago").count == 1
    (moment,) = Event.objects.merged().values_list("occurred_at", flat=True)
    assert moment == datetime(2022, 1, 2, tzinfo=UTC)


def test_same_ids_of_another_source_are_other_events(
    write_csv: WriteCsv, plan: ImportPlan
) -> None:
    path = write_csv(good_row(1))

    for source in ("police", "press"):
        import_file(path, plan=replace(plan, source=source), now=NOW)

    assert region_extent("chicago").count == 2


def test_merging_changes_no_answer(write_csv: WriteCsv, plan: ImportPlan) -> None:
    path = write_csv(*map(good_row, range(20)))
    import_file(path, plan=plan, now=NOW)
    fetch = "SELECT count() FROM analytics_event"
    rows = "INSERT INTO analytics_event SELECT * FROM analytics_event"
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(rows)
        assert fetch_rows("test", fetch) == [(40,)]
        before = region_extent("chicago")
        cursor.execute("OPTIMIZE TABLE analytics_event FINAL")

    assert fetch_rows("test", fetch) == [(20,)]
    assert region_extent("chicago") == before
    assert before.count == 20
