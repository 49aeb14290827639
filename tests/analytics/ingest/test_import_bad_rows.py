"""Bad rows: each is named with file, row, column and reason; good rows stay."""

from dataclasses import replace
from pathlib import Path

import pytest

from analytics.ingest.importer import ImportPlan, import_file
from analytics.ingest.report import Rejection
from analytics.models import Event
from analytics.reads.features import region_extent
from tests.support.chicago import NOW, ImportRows, WriteCsv, good_row

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]

T = "2022-01-01T00:00:00Z"
P = "41.8,-87.6"
REGION = "(latitude 41.6 to 42.05, longitude -87.95 to -87.5)"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            f"07/01/2022,{P},theft,1,a",
            (
                "column time: '07/01/2022' is not a time."
                " Write it like 2026-11-23T14:05:00+01:00."
            ),
        ),
        (
            f"2022-01-01T00:00:00,{P},theft,1,a",
            (
                "column time: the time 2022-01-01T00:00:00 has no offset from UTC."
                " Write it like 2026-11-23T14:05:00+01:00; a file may be imported with"
                " the zone of its times."
            ),
        ),
        (
            f"2027-01-01T00:00:00Z,{P},theft,1,a",
            (
                "column time: 2027-01-01T00:00:00+00:00 is in the future."
                " Events are what has happened."
            ),
        ),
        (f"{T},,-87.6,theft,1,a", "column lat: the number is missing."),
        (f"{T},north,-87.6,theft,1,a", "column lat: 'north' is not a number."),
        (
            f"{T},41.8,-187.6,theft,1,a",
            ("column lon: the longitude -187.6 is not between -180 and 180."),
        ),
        (
            f"{T},-87.6,41.8,theft,1,a",
            (
                f"column lat: latitude -87.6, longitude 41.8 lies outside the region"
                f" {REGION}, but exchanged they lie inside. Exchange the"
                " two."
            ),
        ),
        (
            f"{T},40,-87.6,theft,1,a",
            (
                f"column lat: latitude 40, longitude -87.6 lies outside the region"
                f" {REGION}."
            ),
        ),
        (
            f"{T},{P},theft,inf,a",
            (
                "column severity: 'inf' is not a finite number."
                " Leave unknown numbers empty."
            ),
        ),
        (f"{T},{P},theft,1,", "column id: the value is missing."),
        (
            f"{T},{P},{'x' * 201},1,a",
            "column kind: the value has 201 characters; at most 200 are kept.",
        ),
        (
            f"{T},{P},the\0ft,1,a",
            (
                "column kind: the row holds a NUL byte, so the file was damaged"
                " or is not"
                " text."
            ),
        ),
        (
            f"{T},41,8,-87,6,theft,1,a",
            (
                "the row has 8 fields, the header has 6. Put fields that hold"
                " the separator"
                " between double quotes."
            ),
        ),
    ],
)
def test_bad_row_is_named_and_its_neighbours_are_stored(
    import_rows: ImportRows, row: str, sentence: str
) -> None:
    report = import_rows(good_row(1), row, good_row(2))

    where = ", " if sentence.startswith("column") else ": "
    assert [str(it) for it in report.rejected] == [
        f"events.csv, row 3{where}{sentence}"
    ]
    assert (report.accepted, region_extent("chicago").count) == (2, 2)


def test_latin_1_row_is_named(tmp_path: Path, plan: ImportPlan) -> None:
    path = tmp_path / "events.csv"
    rows = ["time,lat,lon,kind,severity,id", good_row(1), f"{T},{P},dégât,1,a"]
    path.write_bytes("\n".join(rows).encode("latin-1"))

    report = import_file(path, plan=plan, now=NOW)

    assert [str(it) for it in report.rejected] == [
        (
            "events.csv, row 3, column kind: the byte 0xE9 is not UTF-8; read"
            " as Latin-1"
            " the field is 'dégât'. Convert the file: iconv -f latin1 -t utf-8."
        )
    ]
    assert report.accepted == 1


def test_a_row_without_a_type_has_the_usual_one(import_rows: ImportRows) -> None:
    report = import_rows(f"{T},{P},,1,a")

    assert report.accepted == 1
    assert set(Event.objects.values_list("event_type", flat=True)) == {"event"}


def test_skipped_local_time_is_named(write_csv: WriteCsv, plan: ImportPlan) -> None:
    path = write_csv(
        f"2022-03-13T02:30:00,{P},theft,1,a", f"2022-11-06T01:30:00,{P},theft,1,b"
    )

    report = import_file(
        path, plan=replace(plan, default_timezone="America/Chicago"), now=NOW
    )

    assert [str(it) for it in report.rejected] == [
        (
            "events.csv, row 2, column time: the clocks of America/Chicago skipped"
            " 2022-03-13T02:30:00. Add its offset from UTC to the time."
        )
    ]
    assert (report.accepted, report.ambiguous_times) == (1, 1)


def test_every_rejection_is_handed_out_though_few_are_kept(
    write_csv: WriteCsv, plan: ImportPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.ingest.report.MAX_LISTED_REJECTIONS", 2)
    handed_out: list[Rejection] = []

    report = import_file(
        write_csv(*["bad"] * 5), plan=plan, now=NOW, on_rejection=handed_out.append
    )

    assert [rejection.row for rejection in handed_out] == [2, 3, 4, 5, 6]
    assert (len(report.rejected), report.rejected_count) == (2, 5)
