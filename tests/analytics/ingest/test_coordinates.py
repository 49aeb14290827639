"""Coordinates on the earth, in the region and in their order."""

import numpy as np
import pytest

from analytics.grid import Bounds
from analytics.ingest.rules import (
    RowCode,
    latitude_faults,
    longitude_faults,
    region_faults,
)

BOX = Bounds(south=41.0, west=-88.0, north=42.0, east=-87.0)
DATE_LINE = Bounds(south=-20.0, west=175.0, north=-10.0, east=-175.0)


def test_latitudes_beyond_the_poles_are_faults() -> None:
    lat, lon = np.array([90.0, -90.1, 123.0, 250.0]), np.array([0.0, 120.0, 45.0, 0.0])

    faults = latitude_faults(lat, lon)

    assert {place: fault.code for place, fault in faults.items()} == {
        1: RowCode.COORDINATE_OUT_OF_RANGE,
        2: RowCode.SWAPPED_COORDINATES,
        3: RowCode.COORDINATE_OUT_OF_RANGE,
    }
    assert faults[2].reason == (
        "the latitude 123 is not between -90 and 90, but the longitude 45 is: they"
        " look exchanged. Exchange the two."
    )


def test_longitudes_beyond_the_half_circle_are_faults() -> None:
    faults = longitude_faults(np.array([180.0, -180.0, 180.5]))

    assert {place: fault.reason for place, fault in faults.items()} == {
        2: "the longitude 180.5 is not between -180 and 180."
    }


def test_places_outside_the_region_are_faults_and_exchanged_ones_are_told() -> None:
    lat, lon = np.array([41.5, 40.9, -87.5]), np.array([-87.5, -87.5, 41.5])

    faults = region_faults(lat, lon, BOX)

    assert {place: fault.code for place, fault in faults.items()} == {
        1: RowCode.OUTSIDE_REGION,
        2: RowCode.SWAPPED_COORDINATES,
    }
    assert faults[2].reason == (
        "latitude -87.5, longitude 41.5 lies outside the region (latitude 41 to 42,"
        " longitude -88 to -87), but exchanged they lie inside."
        " Exchange the two."
    )


@pytest.mark.parametrize(
    ("lon", "is_inside"),
    [(176.0, True), (-176.0, True), (180.0, True), (174.0, False), (0.0, False)],
)
def test_region_may_cross_the_antimeridian(lon: float, is_inside: bool) -> None:
    inside = DATE_LINE.contain(np.array([-15.0]), np.array([lon]))

    assert inside.tolist() == [is_inside]


def test_missing_coordinates_are_left_to_their_reader() -> None:
    lat, lon = np.array([np.nan, 41.5]), np.array([-87.5, np.nan])

    assert latitude_faults(lat, lon) == {}
    assert longitude_faults(lon) == {}
    assert region_faults(lat, lon, BOX) == {}
