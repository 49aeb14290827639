"""JSON out, by msgspec; a number that is not finite is an error, never a null."""

from collections.abc import Iterable, Mapping
from io import BytesIO
from itertools import islice
from typing import Any, Final

import msgspec
import numpy as np
from django.http import HttpResponse
from msgspec import Struct
from rest_framework.renderers import BaseRenderer

ROWS_AT_ONCE: Final = 500


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
        return msgspec.json.encode(data, enc_hook=str)


class GeoJsonRenderer(OrjsonRenderer):
    media_type = "application/geo+json"
    format = "geojson"


def rows_response(
    head: Struct | Mapping[str, object],
    name: str,
    rows: Iterable[object],
    *,
    rows_at_once: int = ROWS_AT_ONCE,
    renderer: type[OrjsonRenderer] = OrjsonRenderer,
) -> HttpResponse:
    """Answer with the members of `head` and, last, the list `name`.

    Of the rows, which a generator makes, only some exist as objects at a time: as
    bytes they take a tenth of that.
    """
    # It gives its buffer away without a copy, which a join would make.
    out = BytesIO()
    out.write(msgspec.json.encode(head)[:-1])
    out.write((b'"' if head == {} else b',"') + name.encode() + b'":[')
    left, comma = iter(rows), b""
    while some := list(islice(left, rows_at_once)):
        out.write(comma)
        out.write(msgspec.json.encode(some)[1:-1])
        comma = b","
    out.write(b"]}")
    return HttpResponse(out.getvalue(), content_type=renderer.media_type)


def finite_list(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    """Turn an array into JSON numbers, refusing what JSON has no word for."""
    if not np.isfinite(values).all():
        raise ValueError("A value to be rendered is not finite.")
    listed: list[float] = values.tolist()
    return listed
