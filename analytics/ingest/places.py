"""Coordinates of events: on the earth, in the region, and not exchanged."""

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Bounds
from analytics.ingest.rejections import Fault, Faults, RejectionCode

FloatArray = NDArray[np.float64]
EXCHANGED = "Exchange the two in the column map."


def latitude_faults(lat: FloatArray, lon: FloatArray) -> Faults:
    """Find latitudes beyond the poles; NaN is left to whoever read it."""
    faults: Faults = {}
    for place in np.flatnonzero(np.abs(lat) > 90):
        value, other = lat[place], lon[place]
        if abs(value) <= 180 and abs(other) <= 90:
            faults[int(place)] = Fault(
                RejectionCode.SWAPPED_COORDINATES,
                f"the latitude {value:g} is not between -90 and 90, but the longitude"
                f" {other:g} is: they look exchanged. {EXCHANGED}",
            )
        else:
            faults[int(place)] = _out_of_range("latitude", float(value), 90)
    return faults


def longitude_faults(lon: FloatArray) -> Faults:
    beyond = np.flatnonzero(np.abs(lon) > 180)
    return {
        int(place): _out_of_range("longitude", float(lon[place]), 180)
        for place in beyond
    }


def region_faults(lat: FloatArray, lon: FloatArray, bounds: Bounds) -> Faults:
    """Find valid places that lie outside the region, and say if exchanged ones do."""
    faults: Faults = {}
    outside = ~bounds.contain(lat, lon) & np.isfinite(lat) & np.isfinite(lon)
    is_exchanged = bounds.contain(lon, lat)
    for place in np.flatnonzero(outside):
        where = f"latitude {lat[place]:g}, longitude {lon[place]:g}"
        if is_exchanged[place]:
            faults[int(place)] = Fault(
                RejectionCode.SWAPPED_COORDINATES,
                f"{where} lies outside the region ({bounds}), but exchanged they lie"
                f" inside. {EXCHANGED}",
            )
        else:
            faults[int(place)] = Fault(
                RejectionCode.OUTSIDE_REGION,
                f"{where} lies outside the region ({bounds}).",
            )
    return faults


def _out_of_range(name: str, value: float, limit: int) -> Fault:
    return Fault(
        RejectionCode.COORDINATE_OUT_OF_RANGE,
        f"the {name} {value:g} is not between -{limit} and {limit}.",
    )
