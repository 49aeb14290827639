"""Where events are placed: the grid of a region, the box around it, and degrees.

Latitudes and longitudes are stored as whole numbers of ten-millionths of a degree,
which is about a centimetre. Up to seven decimals come back unchanged.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import h3.api.basic_int as h3
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from riskplatform.api.strict_texts import number_of_text
from riskplatform.kernel.errors import Field, InvalidInputError

CellDigits = Annotated[
    str,
    Meta(
        pattern="^[0-9]{1,20}$",
        description="H3 index in decimal digits: a text, because numbers of JSON are"
        " exact up to 2^53 only.",
    ),
]
MAX_RESOLUTION = 15
DECIMAL_CELL = re.compile(r"[0-9]{1,20}")
UNITS_PER_DEGREE = 10_000_000
HEX_CELL = re.compile(r"[0-9a-fA-F]{1,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A box of degrees; it crosses the antimeridian where west is above east."""

    south: float
    west: float
    north: float
    east: float

    @classmethod
    def around(cls, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Self:
        """Take the smallest box around places; never one across the antimeridian."""
        return cls(
            south=float(lat.min()),
            west=float(lon.min()),
            north=float(lat.max()),
            east=float(lon.max()),
        )

    @classmethod
    def read(cls, text: str, *, field: str) -> Self:
        """Read `west,south,east,north`; `field` names what holds the text.

        Raises
        ------
        InvalidInputError
            It is no box of degrees on the globe.
        """
        numbers = [number_of_text(part.strip()) for part in text.split(",")]
        degrees = [float(number) for number in numbers if number is not None]
        if len(numbers) != 4 or len(degrees) != 4:
            raise InvalidInputError(
                f"{field} is west,south,east,north in degrees.", field=field
            )
        west, south, east, north = degrees
        is_on_globe = max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90
        if not is_on_globe:
            raise InvalidInputError(
                f"{field} lies outside the globe, or south > north.", field=field
            )
        return cls(south=south, west=west, north=north, east=east)

    def contain(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        in_height = (lat >= self.south) & (lat <= self.north)
        after_west, before_east = lon >= self.west, lon <= self.east
        if self.west > self.east:
            return in_height & (after_west | before_east)
        return in_height & after_west & before_east

    def __str__(self) -> str:
        return (
            f"latitude {self.south:g} to {self.north:g},"
            f" longitude {self.west:g} to {self.east:g}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionGrid:
    """What placing an event needs to know of its region.

    Events lie within `bounds`, where there are any.
    """

    slug: str
    resolution: int
    timezone: str
    bounds: Bounds | None = None

    def __post_init__(self) -> None:
        if not self.slug:
            raise InvalidInputError("A region needs a slug.")
        if not 0 <= self.resolution <= MAX_RESOLUTION:
            raise InvalidInputError(
                f"H3 resolution {self.resolution} is not between 0 and 15."
            )
        load_zone(self.timezone)

    def cells_of(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> NDArray[np.uint64]:
        """Give the H3 cell of each place; `lat` and `lon` are valid degrees."""
        find_cell = h3.latlng_to_cell
        pairs = zip(lat.tolist(), lon.tolist(), strict=True)
        cells = (find_cell(y, x, self.resolution) for y, x in pairs)
        return np.fromiter(cells, dtype=np.uint64, count=lat.size)


def read_cell(value: int | str) -> int | None:
    """Read an H3 cell: a 64-bit integer, or text in decimal or in hex digits.

    No cell has digits that could be read both ways.
    """
    if isinstance(value, int):
        return value if _is_cell(value) else None
    readings: list[int] = []
    if DECIMAL_CELL.fullmatch(value):
        readings.append(int(value))
    if HEX_CELL.fullmatch(value):
        readings.append(int(value, 16))
    return next(filter(_is_cell, readings), None)


def parse_cell(value: int | str, *, field: Field = ()) -> int:
    """Read an H3 cell as `read_cell` does, and refuse what is none.

    `field` says where in the input the value stands.
    """
    cell = read_cell(value)
    if cell is None:
        raise InvalidInputError(
            f"{str(value)[:40]!r} is not an H3 cell. Write its index in hex digits,"
            " such as 882664c1e3fffff, or in decimal ones.",
            field=field,
        )
    return cell


def _is_cell(value: int) -> bool:
    return 0 < value < 1 << 64 and h3.is_valid_cell(value)


def load_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInputError(
            f"{name!r} is not a time zone. Use a name such as America/Chicago or UTC.",
            timezone=name,
        ) from None


def units_of(degrees: NDArray[np.float64]) -> list[int]:
    units: list[int] = np.rint(degrees * UNITS_PER_DEGREE).astype(np.int64).tolist()
    return units


def unit_of(degrees: float) -> int:
    return round(degrees * UNITS_PER_DEGREE)


def degrees_of(unit: int) -> float:
    return unit / UNITS_PER_DEGREE
