"""How latitudes and longitudes are stored: whole numbers of ten-millionths of a degree.

That is about a centimetre. Up to seven decimals come back unchanged.
"""

import numpy as np
from numpy.typing import NDArray

UNITS_PER_DEGREE = 10_000_000


def units_of(degrees: NDArray[np.float64]) -> list[int]:
    units: list[int] = np.rint(degrees * UNITS_PER_DEGREE).astype(np.int64).tolist()
    return units


def unit_of(degrees: float) -> int:
    return round(degrees * UNITS_PER_DEGREE)


def degrees_of(unit: int) -> float:
    return unit / UNITS_PER_DEGREE
