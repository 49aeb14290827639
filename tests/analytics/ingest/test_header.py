"""Columns of a map found in a header."""

import pytest

from analytics.errors import ColumnMapError
from analytics.ingest.column_map import ColumnMap, locate_columns, suggest_map

XYT = ColumnMap.parse("occurred_at=T,lat=Y,lon=X")


def test_columns_are_found_by_name_in_any_order() -> None:
    found = locate_columns(["X", "note", "T", "Y"], XYT, file="e.csv")

    assert found == {"occurred_at": 2, "lat": 3, "lon": 0}


def test_missing_columns_are_named_beside_those_found_and_a_map_that_fits() -> None:
    header = ["Date", "Latitude", "Longitude", "Magnitude", "note"]

    with pytest.raises(ColumnMapError) as caught:
        locate_columns(header, XYT, file="e.csv")

    assert caught.value.message == (
        "e.csv, row 1: there is no column T, Y, X. The columns are: Date, Latitude,"
        " Longitude, Magnitude, note. Try the map"
        " occurred_at=Date,lat=Latitude,lon=Longitude,severity=Magnitude"
    )


def test_a_mapped_column_that_comes_twice_is_refused() -> None:
    with pytest.raises(ColumnMapError) as caught:
        locate_columns(["T", "Y", "X", "Y"], XYT, file="e.csv")

    assert caught.value.message == (
        "e.csv, row 1: the header has the column Y more than once (columns 2 and 4)."
        " Give each column its own name."
    )


def test_other_columns_may_come_twice() -> None:
    found = locate_columns(["T", "Y", "X", "note", "note"], XYT, file="e.csv")

    assert found == {"occurred_at": 0, "lat": 1, "lon": 2}


def test_suggestion_leaves_open_what_it_cannot_guess() -> None:
    assert suggest_map(["a", "b"]) == "occurred_at=?,lat=?,lon=?"
