"""Blanks, numbers, times and ids as people's files have them."""

from pathlib import Path

import pytest

from scoring.models import Region
from tests.scoring.events.odd_files import MAP, bring, column, moments, refusal

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
T = "2023-05-01T00:00:00Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "odd.csv"


def test_marks_of_nothing_are_empty(path: Path) -> None:
    marks = ["NA", "NULL", "\\N", "nan", "-999", "None", "4.4", "-", "n/a", "-999.0"]
    rows = [f"{T},38.{i},142.1,{mark},i{i}" for i, mark in enumerate(marks)]
    text = "\n".join(["time,lat,lon,mag,id", *rows])

    report = bring(path, text, "--map", f"{MAP},severity=mag", "--null", "-999")

    assert (report["accepted"], report["emptied_count"]) == (10, 0)
    assert column("severity") == [None] * 6 + [4.4] + [None] * 3


def test_what_cannot_be_read_costs_the_field_and_not_the_row(path: Path) -> None:
    text = f"time,lat,lon,mag,id\n{T},1,2,strong,a\n{T},1,2,4.5,b\n{T},1,2,inf,c\n"

    report = bring(path, text, "--map", f"{MAP},severity=mag")

    assert (report["accepted"], report["emptied_count"]) == (3, 2)
    assert report["emptied_by_column"] == {"mag": 2}
    assert [it["row"] for it in report["emptied"]] == [2, 4]
    assert column("severity") == [None, 4.5, None]


def test_null_island_is_refused_unless_it_is_meant(path: Path) -> None:
    text = f"time,lat,lon,id\n{T},0,0.0,a\n{T},0,1,b\n"

    first = bring(path, text, "--map", MAP)
    meant = bring(path, text, "--map", MAP, "--allow-null-island")

    assert first["rejected_by_code"] == {"null_island": 1}
    assert "--allow-null-island" in first["suggestions"][0]
    assert meant["accepted"] == 1


def test_longitudes_to_360_are_brought_to_180(path: Path) -> None:
    text = f"time,lat,lon,id\n{T},1,201.7,a\n{T},1,179.9,b\n{T},1,360.5,c\n"

    report = bring(path, text, "--map", MAP)

    assert report["wrapped_longitudes"] == 1
    assert report["rejected_by_code"] == {"coordinate_out_of_range": 1}
    assert column("lon") == [-158.3, 179.9]


def test_decimal_commas_are_said_or_proposed(path: Path) -> None:
    text = f"time;lat;lon;mag;id\n{T};38,1;142,1;4,1;u1\n{T};38,2;142,2;1.234,5;u2\n"
    words = ("--map", f"{MAP},severity=mag")

    undeclared = refusal(path, text, *words)
    bring(path, text, *words, "--decimal", ",")

    assert undeclared.returncode == 3
    assert column("lat", "severity") == [(38.1, 4.1), (38.2, 1234.5)]
    proposed = bring(path, f"{text}{T};38.5;1.5;1;z\n", *words)
    assert proposed["suggestions"] == [
        "The numbers that were refused fit --decimal ','."
    ]


def test_amounts_are_read_as_they_are_written(path: Path) -> None:
    amounts = ['"1,250,000"', '"$2,000.50"', "250K", "1.5M", "12"]
    rows = [f"{T},1,2,i{i},{amount}" for i, amount in enumerate(amounts)]
    text = "\n".join(["time,lat,lon,id,loss", *rows])

    bring(path, text, "--map", f"{MAP},amount=loss", "--thousands", ",")

    assert column("amount") == [1_250_000, 2000.5, 250_000, 1_500_000, 12]


def test_loose_iso_times_are_read(path: Path) -> None:
    times = [
        *("1992-01-01T0:0:0.0", "1992-01-01T04:12:60.0Z", "2016-12-31T23:59:60Z"),
        *("2001-03-04T24:00:00Z", "2001-03-04T05:06:07.123456789Z"),
        *("2001-03-04 05:06:07 UTC", "2001/03/04 05:06:07", "2001-03-04T05:06:07+0900"),
    ]
    rows = [f"{time},1,2,i{i}" for i, time in enumerate(times)]

    bring(path, "\n".join(["time,lat,lon,id", *rows]), "--map", MAP)

    assert moments() == [
        *("1992-01-01T00:00:00.000", "1992-01-01T04:13:00.000"),
        *("2017-01-01T00:00:00.000", "2001-03-05T00:00:00.000"),
        *("2001-03-04T05:06:07.123", "2001-03-04T05:06:07.000"),
        *("2001-03-04T05:06:07.000", "2001-03-03T20:06:07.000"),
    ]


def test_american_dates_are_read_when_they_are_said_to_be(path: Path) -> None:
    text = (
        "id,time,lat,lon\n1,01/05/2023 11:30:00 PM,1,2\n2,01/05/2023 12:05:00 AM,1,2\n"
        "3,12/31/2022 12:00:00 PM,1,2\n"
    )
    zone = ("--map", MAP, "--times-in", "America/Chicago")
    time_format = "%m/%d/%Y %I:%M:%S %p"

    proposed = bring(path, f"{text}4,2022-01-01,1,2\n", *zone, "--dry-run")
    bring(path, text, *zone, "--time-format", time_format)

    assert f"--time-format '{time_format}'" in proposed["suggestions"][0]
    assert moments() == [
        *("2023-01-06T05:30:00.000", "2023-01-05T06:05:00.000"),
        "2022-12-31T18:00:00.000",
    ]
    # What is not said of the region is what was said of the times.
    assert Region.objects.get().timezone == "America/Chicago"


def test_naive_times_are_of_the_zone_of_the_region(path: Path) -> None:
    text = "id,time,lat,lon\n1,2023-01-01T00:00:00,1,2\n2,2023-01-01T00:00:00Z,1,2\n"

    report = bring(path, text, "--map", MAP, "--timezone", "Asia/Tokyo")

    assert (report["naive_times"], report["times_in"]) == (1, "Asia/Tokyo")
    assert moments()[0] == "2022-12-31T15:00:00.000"


def test_a_date_whose_midnight_was_skipped_is_that_day(path: Path) -> None:
    text = "id,time,lat,lon\n1,2016-03-25,1,2\n2,2016-03-25 00:30,1,2\n"

    report = bring(path, text, "--map", MAP, "--times-in", "Asia/Amman")

    # Clocks in Amman went from 0:00 to 1:00 on 1 April of that year.
    assert report["accepted"] == 2
    text = "id,time,lat,lon\n3,2016-04-01,1,2\n4,2016-04-01 00:30,1,2\n"
    report = bring(path, text, "--map", MAP, "--times-in", "Asia/Amman")
    assert report["rejected_by_code"] == {"nonexistent_time": 1}
    assert moments()[2] == "2016-03-31T22:00:00.000"


def test_ids_need_a_source_and_blank_ones_are_named_by_content(path: Path) -> None:
    text = f"id,time,lat,lon\n7.0,{T},1,2\n,{T},1,2\nNA,{T},1,2\n,{T},3,4\n"

    first = bring(path, text, "--map", MAP)
    again = bring(path, text, "--map", MAP)

    assert (first["accepted"], first["blank_ids"]) == (4, 3)
    assert (again["accepted"], again["duplicates"]) == (0, 4)
    assert "7" in column("external_id")
    error = refusal(path, text, "--map", MAP, "--source", "")
    assert "--source" in str(error)


def test_several_columns_make_one_field(path: Path) -> None:
    text = "DATE,TIME,lat,lon\n2023-01-05,30,1,2\n2023-01-05,1330,1,2\n"
    column_map = "occurred_at=DATE+TIME,lat=lat,lon=lon"

    bring(path, text, "--map", column_map, "--time-format", "%Y-%m-%d %H%M")

    assert sorted(moments()) == ["2023-01-05T00:30:00.000", "2023-01-05T13:30:00.000"]
