"""The second region of the demo, from packages; without a registry nothing to test."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import h3.api.basic_int as h3
import numpy as np
import pytest

from scoring.demo.datasets.north_atlantic import (
    AS_OF,
    RESOLUTION,
    SINCE,
    load_cities,
    load_countries,
    load_north_atlantic_cyclones,
)
from scoring.demo.portfolio import cities_in_harms_way
from scoring.errors import DatasetUnavailableError

Loaded = TypeVar("Loaded")


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


def load(loader: Callable[..., Loaded], folder: Path, **options: Any) -> Loaded:
    try:
        return loader(folder, **options)
    except DatasetUnavailableError as error:
        pytest.skip(error.message)


def test_the_fixes_end_with_the_storms_that_were_active(packages: Path) -> None:
    dataset = load(load_north_atlantic_cyclones, packages)
    assert len(dataset.occurred_at) == dataset.lat.size == dataset.lon.size == 5_742
    assert min(dataset.occurred_at) >= SINCE
    last = [i for i, moment in enumerate(dataset.occurred_at) if moment == AS_OF]
    assert dataset.severity is not None
    # Kirk, Leslie, and Milton in the Gulf of Mexico.
    assert [(dataset.lat[i], dataset.lon[i], dataset.severity[i]) for i in last] == [
        (37.9, -45.0, 70.0),
        (14.5, -39.1, 80.0),
        (22.5, -93.4, 75.0),
    ]
    assert max(dataset.occurred_at) == AS_OF


def test_every_fix_and_its_neighbours_lie_in_the_region(packages: Path) -> None:
    dataset = load(load_north_atlantic_cyclones, packages)
    places = zip(dataset.lat.tolist(), dataset.lon.tolist(), strict=True)
    cells = {h3.latlng_to_cell(lat, lon, RESOLUTION) for lat, lon in places}
    assert {near for cell in cells for near in h3.grid_disk(cell, 1)} == dataset.cells
    assert len(dataset.cells) == 552


def test_countries_are_cut_to_the_parts_near_the_places(packages: Path) -> None:
    countries = load(load_countries, packages, lat=[10.0, 50.0], lon=[-100.0, -5.0])
    parts_of = {
        feature["properties"]["name"]: feature["geometry"]["coordinates"]
        for feature in countries["features"]
    }
    assert {"Cuba", "Mexico", "Spain"} <= parts_of.keys()
    assert "Japan" not in parts_of
    # Neither Alaska nor Hawaii.
    (mainland,) = parts_of["United States of America"]
    assert mainland[0][0] == mainland[0][-1]


def test_cities_in_harms_way_are_those_where_storms_have_been(packages: Path) -> None:
    dataset = load(load_north_atlantic_cyclones, packages)
    cities = load(load_cities, packages)
    assert len(cities) == 34_006
    exposed = {city.label for city in cities_in_harms_way(dataset, cities)}
    assert {"Tampa, US", "Miami, US", "Havana, CU", "Kingston, JM"} <= exposed
    far_from_the_sea = {"Mexico City, MX", "Chicago, US", "Atlanta, US"}
    assert (far_from_the_sea | {"Tokyo, JP"}).isdisjoint(exposed)


def test_an_unknown_wind_puts_nobody_in_harms_way(packages: Path) -> None:
    dataset = load(load_north_atlantic_cyclones, packages)
    assert dataset.severity is not None
    cities = load(load_cities, packages)
    unknown = np.full_like(dataset.severity, np.nan)
    assert cities_in_harms_way(replace(dataset, severity=unknown), cities) == []
