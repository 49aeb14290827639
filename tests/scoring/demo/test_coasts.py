import numpy as np
import pytest

from scoring.demo.datasets.north_atlantic import near_sea

# A country of ten degrees with a hole, an inner sea, in its middle.
SQUARE = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [0.0, 0.0]]
HOLE = [[4.0, 4.0], [6.0, 4.0], [6.0, 6.0], [4.0, 6.0], [4.0, 4.0]]
COUNTRIES = {
    "features": [
        {"geometry": {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]}}
    ]
}


@pytest.mark.parametrize(
    ("lat", "lon", "is_near"),
    [
        (0.5, 5.0, True),
        (2.0, 2.0, False),
        (8.0, 5.0, False),
        (3.5, 5.0, True),
        (5.0, 5.0, True),
        (20.0, 20.0, True),
    ],
)
def test_a_place_is_near_the_sea_if_it_can_be_reached(
    lat: float, lon: float, is_near: bool
) -> None:
    found = near_sea(
        np.array([lat]), np.array([lon]), countries=COUNTRIES, within_km=100.0
    )
    assert found.tolist() == [is_near]


def test_no_place_gives_no_answer() -> None:
    nowhere = np.zeros(0)
    found = near_sea(nowhere, nowhere, countries=COUNTRIES, within_km=100.0)
    assert found.size == 0
