"""Connected hot areas: the cells over a threshold, joined where they touch."""

from dataclasses import dataclass

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class HotArea:
    """Cells that touch, hottest first, with the figure of each."""

    cells: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def worst_cell(self) -> int:
        return self.cells[0]

    @property
    def worst_value(self) -> float:
        return self.values[0]

    @property
    def worst_place(self) -> tuple[float, float]:
        """Latitude and longitude of the worst cell, degrees."""
        lat, lon = h3.cell_to_latlng(self.worst_cell)
        return lat, lon


def find_hot_areas(
    cells: NDArray[np.uint64], values: NDArray[np.float64], *, threshold: float
) -> list[HotArea]:
    """Join the cells at or above a threshold that are neighbours, hottest first."""
    is_hot = values >= threshold
    hot = dict(zip(cells[is_hot].tolist(), values[is_hot].tolist(), strict=True))
    areas = []
    left = set(hot)
    for cell in _hottest_first(hot):
        if cell in left:
            area = _connected(cell, left)
            areas.append(area_of({member: hot[member] for member in area}))
    return areas


def area_of(figures: dict[int, float]) -> HotArea:
    """Make one area of some cells; ties go by the index of the cell."""
    cells = _hottest_first(figures)
    return HotArea(cells=tuple(cells), values=tuple(figures[cell] for cell in cells))


def joined(areas: list[HotArea]) -> HotArea:
    """Make one area of several that have no cell in common."""
    return area_of(
        {
            cell: value
            for area in areas
            for cell, value in zip(area.cells, area.values, strict=True)
        }
    )


def _hottest_first(figures: dict[int, float]) -> list[int]:
    return sorted(figures, key=lambda cell: (-figures[cell], cell))


def _connected(start: int, left: set[int]) -> set[int]:
    """Take the cells out of `left` that can be reached from `start` through it."""
    left.discard(start)
    area, edge = {start}, [start]
    while edge:
        near = left.intersection(h3.grid_disk(edge.pop(), 1))
        left -= near
        area |= near
        edge.extend(near)
    return area
