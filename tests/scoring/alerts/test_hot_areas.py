"""Cells over a threshold become areas: joined where they touch, hottest first."""

import h3.api.basic_int as h3
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoring.services.alerts.figures import HotArea, find_hot_areas
from tests.scoring.alerts.watching import CENTRE_CELL, line_of_cells

DISK = sorted(h3.grid_disk(CENTRE_CELL, 3))


def areas_of(figures: dict[int, float], *, threshold: float = 0.5) -> list[HotArea]:
    cells = np.array(sorted(figures), dtype=np.uint64)
    values = np.array([figures[cell] for cell in cells.tolist()])
    return find_hot_areas(cells, values, threshold=threshold)


def test_neighbours_are_one_area_with_its_hottest_cell_first() -> None:
    one, two, three = line_of_cells(3)
    (area,) = areas_of({one: 0.6, two: 0.9, three: 0.7})
    assert area.cells == (two, three, one)
    assert area.values == (0.9, 0.7, 0.6)
    assert area.worst_place == h3.cell_to_latlng(two)


def test_a_cold_cell_in_between_makes_two_areas_the_hotter_first() -> None:
    one, two, three = line_of_cells(3)
    areas = areas_of({one: 0.6, two: 0.4, three: 0.7})
    assert [area.cells for area in areas] == [(three,), (one,)]


def test_the_threshold_itself_is_hot() -> None:
    (one,) = line_of_cells(1)
    assert [area.worst_value for area in areas_of({one: 0.5})] == [0.5]


def test_nothing_hot_is_no_area() -> None:
    assert areas_of({line_of_cells(1)[0]: 0.49}) == []


@given(st.lists(st.floats(0, 1), min_size=len(DISK), max_size=len(DISK)))
def test_areas_part_the_hot_cells_and_never_touch(values: list[float]) -> None:
    figures = dict(zip(DISK, values, strict=True))
    areas = areas_of(figures)
    members = [cell for area in areas for cell in area.cells]
    assert sorted(members) == [cell for cell in DISK if figures[cell] >= 0.5]
    owner = {cell: n for n, area in enumerate(areas) for cell in area.cells}
    for cell, number in owner.items():
        near = owner.keys() & h3.grid_disk(cell, 1)
        assert {owner[other] for other in near} == {number}
    worst = [area.worst_value for area in areas]
    assert worst == sorted(worst, reverse=True)
