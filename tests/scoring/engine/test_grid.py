import h3.api.numpy_int as h3
import numpy as np
import pytest

from scoring.engine.arrays import product
from scoring.engine.errors import EngineError
from scoring.engine.grid import build_grid
from tests.scoring.engine.regions import make_grid


def test_cells_are_ascending_and_described() -> None:
    grid = make_grid(radius=2)

    assert len(grid) == 19
    assert np.all(np.diff(grid.cells.astype(np.float64)) > 0)
    lat, lon = h3.cell_to_latlng(int(grid.cells[3]))
    assert (grid.lat[3], grid.lon[3]) == (lat, lon)
    assert grid.area_km2[3] == h3.cell_area(int(grid.cells[3]), "km^2")


def test_index_is_minus_one_outside_the_grid() -> None:
    grid = make_grid(radius=1)
    elsewhere = h3.latlng_to_cell(-33.9, 151.2, 8)

    found = grid.index_of([grid.cells[5], elsewhere, grid.cells[0]])

    assert found.tolist() == [5, -1, 0]


def test_rings_average_the_cells_at_their_distance() -> None:
    grid = make_grid(radius=4)
    centre = h3.latlng_to_cell(41.88, -87.63, 8)
    here = int(grid.index_of([centre])[0])
    values = np.array(
        [float(h3.grid_distance(int(cell), centre)) for cell in grid.cells]
    )

    means = [product(ring, values)[here] for ring in grid.rings]

    assert means == pytest.approx([0.0, 1.0, 2.0, (18 * 3 + 24 * 4) / 42])


def test_rings_at_the_edge_average_what_is_inside() -> None:
    grid = make_grid(radius=1)
    ones = np.ones(len(grid))

    assert product(grid.rings[1], ones) == pytest.approx(1.0, rel=1e-12)
    assert product(grid.rings[3], ones).tolist() == [0.0] * 7


def test_refuses_what_is_no_grid() -> None:
    with pytest.raises(EngineError, match="at least one cell"):
        build_grid([])
    with pytest.raises(EngineError, match="H3 cells only"):
        build_grid([42])
    with pytest.raises(EngineError, match="one H3 resolution"):
        build_grid([h3.latlng_to_cell(41.9, -87.6, r) for r in (7, 8)])
