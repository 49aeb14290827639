"""JSON out, by msgspec; a number that is not finite is an error, never a null."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import msgspec
import numpy as np
import orjson
from msgspec import Struct
from msgspec.structs import fields
from rest_framework.renderers import BaseRenderer

ROWS_AT_ONCE: Final = 500

Answer = TypeVar("Answer")


class JsonRenderer(BaseRenderer):
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


class GeoJsonRenderer(JsonRenderer):
    media_type = "application/geo+json"
    format = "geojson"


class ColumnsRenderer(JsonRenderer):
    """Lets clients accept JSON with a list for each column, not an object a row."""

    media_type = "application/vnd.riskplatform.columns+json"
    format = "columns"


@dataclass(frozen=True, slots=True)
class Rows(Generic[Answer]):
    """An answer whose last field, an empty list, is filled as it is written.

    Of the rows, which a generator makes, only some exist as objects at a time: as
    bytes they take a tenth of that. They may all be JSON already, as bytes.
    """

    answer: Answer
    rows: Iterable[object]
    rows_at_once: int = ROWS_AT_ONCE

    def encode(self) -> bytes:
        # It gives its buffer away without a copy, which a join would make.
        out = BytesIO()
        out.write(msgspec.json.encode(self.answer).removesuffix(b"]}"))
        left, comma = iter(self.rows), b""
        while some := list[Any](islice(left, self.rows_at_once)):
            out.write(comma)
            is_written = isinstance(some[0], bytes)
            written = b",".join(some) if is_written else msgspec.json.encode(some)[1:-1]
            out.write(written)
            comma = b","
        out.write(b"]}")
        return out.getvalue()


def finite_list(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    """Turn an array into JSON numbers, refusing what JSON has no word for."""
    _check_finite(values)
    listed: list[float] = values.tolist()
    return listed


def json_columns(
    head: Struct, columns: Mapping[str, np.ndarray[Any, Any] | list[str]]
) -> bytes:
    """Write `head` with a further member `columns`, refusing what is not finite.

    What is beyond the numbers of JSON, indexes of 64 bits, is written as texts.
    """
    contiguous = {
        name: values if isinstance(values, list) else _column(values)
        for name, values in columns.items()
    }
    written = orjson.dumps(contiguous, option=orjson.OPT_SERIALIZE_NUMPY)
    return msgspec.json.encode(head)[:-1] + b',"columns":' + written + b"}"


def _column(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | orjson.Fragment:
    _check_finite(values)
    contiguous = np.ascontiguousarray(values)
    if values.dtype != np.uint64 or not values.size:
        return contiguous
    numbers = orjson.dumps(contiguous, option=orjson.OPT_SERIALIZE_NUMPY)
    return orjson.Fragment(b'["' + numbers[1:-1].replace(b",", b'","') + b'"]')


def json_numbers(values: np.ndarray[Any, Any]) -> list[bytes]:
    """Write each number of an array as JSON, refusing what JSON has no word for."""
    _check_finite(values)
    flat = np.ascontiguousarray(values).ravel()
    if not flat.size:
        return []
    written = orjson.dumps(flat, option=orjson.OPT_SERIALIZE_NUMPY)
    return written[1:-1].split(b",")


def json_template(row: type[Struct], **members: bytes) -> bytes:
    """Give a struct as JSON with `%b` for each value, in the order of its fields.

    `members` says what stands in the place of single values. Filling it in takes a
    fraction of the time that objects of each row take to be made and written.
    """
    written = (
        b'"%b":%b' % (field.encode_name.encode(), members.get(field.name, b"%b"))
        for field in fields(row)
    )
    return b"{" + b",".join(written) + b"}"


def _check_finite(values: np.ndarray[Any, Any]) -> None:
    if not np.isfinite(values).all():
        raise ValueError("A value to be rendered is not finite.")
