"""Events placed on the grid of a region."""

import h3.api.basic_int as h3
import numpy as np
import pytest

from analytics.grid import Bounds, RegionGrid, read_cell
from riskplatform.kernel.errors import InvalidInputError


def test_cell_is_the_h3_cell_at_the_resolution_of_the_region() -> None:
    grid = RegionGrid(slug="chicago", resolution=8, timezone="America/Chicago")
    lat, lon = np.array([41.88, -90.0, 0.0]), np.array([-87.63, 180.0, 0.0])

    cells = grid.cells_of(lat, lon)

    assert cells.dtype == np.uint64
    assert cells.tolist() == [
        h3.latlng_to_cell(y, x, 8) for y, x in zip(lat, lon, strict=True)
    ]


@pytest.mark.parametrize(
    ("slug", "resolution", "timezone", "message"),
    [
        ("", 8, "UTC", "A region needs a slug."),
        ("a", 16, "UTC", "H3 resolution 16 is not between 0 and 15."),
        (
            "a",
            8,
            "Mars/Base",
            (
                "'Mars/Base' is not a time zone."
                " Use a name such as America/Chicago or UTC."
            ),
        ),
    ],
)
def test_impossible_region_is_refused(
    slug: str, resolution: int, timezone: str, message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        RegionGrid(slug=slug, resolution=resolution, timezone=timezone)

    assert caught.value.message == message


def test_box_around_places_contains_them() -> None:
    lat, lon = np.array([1.0, 3.0]), np.array([10.0, -5.0])

    box = Bounds.around(lat, lon)

    assert box == Bounds(south=1.0, west=-5.0, north=3.0, east=10.0)
    assert box.contain(lat, lon).all()


CELL = 0x882664CF65FFFFF


@pytest.mark.parametrize(
    "text", [CELL, str(CELL), f"{CELL:x}", f"{CELL:X}", f"0{CELL:x}"]
)
def test_a_cell_is_read_from_its_digits(text: int | str) -> None:
    assert read_cell(text) == CELL


@pytest.mark.parametrize(
    "text",
    ["", "0x882664cf65fffff", "88_2664cf65fffff", "+882664cf65fffff", "٨", " 8", 0, -1],
)
def test_nothing_else_is_a_cell(text: int | str) -> None:
    assert read_cell(text) is None
    assert read_cell(2**64 + CELL) is None
