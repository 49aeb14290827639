"""JSON out, by orjson; a number that is not finite is an error, never a null."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from rest_framework.renderers import BaseRenderer


class OrjsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


class GeoJsonRenderer(OrjsonRenderer):
    media_type = "application/geo+json"
    format = "geojson"


def finite_list(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    """Turn an array into JSON numbers, refusing what JSON has no word for."""
    if not np.isfinite(values).all():
        raise ValueError("A value to be rendered is not finite.")
    listed: list[float] = values.tolist()
    return listed
