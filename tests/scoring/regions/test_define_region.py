import h3.api.basic_int as h3
import pytest

from scoring.errors import RegionMismatchError
from scoring.models import Cell, Region
from scoring.services.regions import (
    add_cells,
    define_region,
    with_neighbours,
)

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

CELL = h3.latlng_to_cell(41.85, -87.68, 8)


def definition(resolution: int = 8, name: str = "Chicago") -> Region:
    return Region(
        slug="chicago", name=name, timezone="America/Chicago", resolution=resolution
    )


def test_repeating_a_definition_adds_nothing() -> None:
    first = define_region(definition(), cells=[CELL])
    second = define_region(definition(name="City of Chicago"), cells=[CELL])
    assert first.pk == second.pk
    assert Region.objects.get().name == "City of Chicago"
    assert Cell.objects.count() == 1


def test_cells_are_added_and_never_taken_away() -> None:
    region = define_region(definition(), cells=[CELL])
    ring = h3.grid_disk(CELL, 1)
    assert add_cells(region, ring) == 6
    define_region(definition(), cells=[])
    assert region.cells.count() == 7


def test_a_cell_knows_its_centre_and_area() -> None:
    define_region(definition(), cells=[CELL])
    cell = Cell.objects.get()
    assert (cell.lat, cell.lon) == h3.cell_to_latlng(CELL)
    assert cell.area_km2 == h3.cell_area(CELL, unit="km^2")


def test_another_resolution_under_the_same_slug_is_refused() -> None:
    define_region(definition(), cells=[])
    with pytest.raises(RegionMismatchError, match="resolution 8, not 9"):
        define_region(definition(resolution=9), cells=[])


def test_neighbours_surround_each_cell() -> None:
    assert with_neighbours([CELL]) == set(h3.grid_disk(CELL, 1))
