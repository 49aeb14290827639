"""The risk map: a forecast's cells, cut to what was requested."""

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Bounds
from scoring.arrays import ForecastColumns
from scoring.models import Cell, Forecast
from scoring.selectors.forecasts import get_columns


def get_risk_map(
    forecast: Forecast, *, bbox: Bounds | None = None, min_p: float = 0.0
) -> ForecastColumns:
    """Return the cells with `p_event` of at least `min_p` whose centre is in the box.

    One query, two with a box.
    """
    columns = get_columns(forecast)
    keep = columns.p_event >= min_p
    if bbox is not None:
        keep &= np.isin(columns.cells, _cells_inside(forecast.region_id, bbox))
    return columns.take(np.flatnonzero(keep))


def _cells_inside(region_id: int, bbox: Bounds) -> NDArray[np.uint64]:
    cells = Cell.objects.filter(
        region_id=region_id, lat__range=(bbox.south, bbox.north)
    )
    if bbox.west <= bbox.east:
        cells = cells.filter(lon__range=(bbox.west, bbox.east))
    else:
        cells = cells.exclude(lon__gt=bbox.east, lon__lt=bbox.west)
    return np.fromiter(cells.values_list("h3", flat=True), dtype=np.uint64)
