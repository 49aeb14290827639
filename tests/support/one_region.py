"""A directory of regions that knows one, and a client that posts events to it."""

from collections.abc import Callable, Sequence

import numpy as np
from django.http import HttpResponse
from numpy.typing import NDArray

from analytics.grid import RegionGrid
from tests.support.event_payloads import CHICAGO

NEAR_DEGREES = 1.0
Post = Callable[..., HttpResponse]


class OneRegion:
    """Knows Chicago, and that whatever lies near its centre lies within."""

    def find(self, slug: str) -> RegionGrid | None:
        return CHICAGO if slug == CHICAGO.slug else None

    def place(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> Sequence[str | None]:
        distance = np.hypot(lat - 41.8, lon + 87.6)
        return [CHICAGO.slug if near else None for near in distance < NEAR_DEGREES]
