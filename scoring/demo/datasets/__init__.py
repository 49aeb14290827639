"""Public event sets that the demo can load, each read from where it is published."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Events of one source and the region they belong to.

    `occurred_at` holds times with a zone, `lat` and `lon` degrees (WGS 84), all of
    shape (n_events,); `severity`, where events have one, likewise, NaN where
    unknown; `cells` are the H3 cells of the region.
    """

    slug: str
    name: str
    timezone: str
    resolution: int
    source: str
    event_type: str
    credit: str
    url: str
    observed_since: datetime
    occurred_at: list[datetime]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    cells: frozenset[int]
    boundary: dict[str, Any] | None
    severity: NDArray[np.float64] | None = None
