"""Polygons on the sphere: sizes against closed forms, crossings by hand."""

from math import pi

import numpy as np
import pytest

from scoring.engine.errors import EngineError
from scoring.engine.polygons import MAX_PAIRS, Ring, area_km2, find_crossing, length_km
from scoring.engine.smoothing import EARTH_RADIUS_KM

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=np.float64)


def circle(n_edges: int, *, radius: float = 1.0) -> Ring:
    turn = np.linspace(0, 2 * pi, n_edges + 1)
    ring = radius * np.column_stack((np.cos(turn), np.sin(turn)))
    ring[-1] = ring[0]
    return ring


def test_an_octant_is_an_eighth_of_the_sphere() -> None:
    octant = np.array([[0, 0], [90, 0], [90, 90], [0, 90], [0, 0]], dtype=np.float64)
    assert area_km2(octant) == pytest.approx(pi / 2 * EARTH_RADIUS_KM**2)
    assert area_km2(octant[::-1]) == area_km2(octant)


def test_a_degree_of_the_equator_is_111_km() -> None:
    assert length_km(SQUARE) == pytest.approx(4 * 111.19, rel=1e-4)


@pytest.mark.parametrize("move", [0.0, -87.6, 179.0])
def test_edges_that_touch_do_not_cross(move: float) -> None:
    at = np.array([move, move / 3])
    inside = SQUARE * 0.5
    assert find_crossing([SQUARE + at]) is None
    assert find_crossing([SQUARE + at, inside + at]) is None
    assert find_crossing([SQUARE + at, inside + at + [0.25, 0.0]]) is None


def test_a_bow_tie_crosses_itself() -> None:
    bow = np.array([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]], dtype=np.float64)
    assert find_crossing([bow]) is not None


def test_a_hole_may_not_reach_out() -> None:
    assert find_crossing([SQUARE, SQUARE * 0.5 + [0.75, 0.1]]) is not None


def test_one_crossing_among_a_hundred_thousand_edges_is_found() -> None:
    ring = circle(100_000, radius=10)
    assert find_crossing([ring]) is None
    ring[[25_000, 25_001]] = ring[[25_001, 25_000]]
    lon, lat = find_crossing([ring]) or (9, 9)
    assert (round(lon, 2), round(lat, 2)) == (0.0, 10.0)


def test_edges_all_beside_each_other_are_refused() -> None:
    n_edges = int((2 * MAX_PAIRS) ** 0.5) + 100
    comb = circle(n_edges)
    comb[1:-1:2] *= -1
    with pytest.raises(EngineError, match="beside each other"):
        find_crossing([comb])
