"""Columns of Arrow as the texts that a CSV file would have."""

import json
import struct
from collections.abc import Collection
from typing import Any

from riskplatform.kernel.arrow import load_arrow

# Kinds of a point in well-known binary: flat, with heights, with measures.
WKB_POINTS = frozenset({1, 1001, 2001, 3001, 0x80000001, 0x20000001, 0xA0000001})
WKB_POINT_BYTES = 21


class ArrowColumns:
    """Writes columns; structures that a map names come as JSON."""

    def __init__(self, mapped: Collection[str]) -> None:
        self._arrow = load_arrow(purpose="A Parquet file")
        self._mapped = mapped

    def texts(self, column: Any, name: str) -> list[str]:
        """Write values as CSV would; what is null or not a number is left empty."""
        arrow, kinds = self._arrow, self._arrow.types
        try:
            if kinds.is_timestamp(column.type):
                column = self._in_utc(column)
            texts: list[str | None] = column.cast(arrow.string()).to_pylist()
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
            # Lists, structures and bytes. In names of rows they are as they ever were.
            write = written if name in self._mapped else repr
            texts = [write(value) for value in column.to_pylist()]
        if kinds.is_floating(column.type):
            return ["" if text in {None, "nan"} else str(text) for text in texts]
        return [text or "" for text in texts]

    def _in_utc(self, column: Any) -> Any:
        """Take the offset off, and the fraction where all are whole seconds."""
        arrow = self._arrow
        zone = None if column.type.tz is None else "UTC"
        try:
            return column.cast(arrow.timestamp("s", zone))
        except arrow.ArrowInvalid:
            return column.cast(arrow.timestamp("us", zone), safe=False)


def written(value: object) -> str:
    """Write what is no plain value as JSON; a map comes as a list of pairs."""
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(it, tuple) for it in value):
        value = dict(value)
    return json.dumps(value, default=repr)


def point_of(shape: object) -> tuple[float, float] | None:
    """Give x and y of a point in well-known binary, or of a struct of both."""
    if isinstance(shape, dict):
        x, y = shape.get("x"), shape.get("y")
        return None if x is None or y is None else (x, y)
    if not isinstance(shape, bytes) or len(shape) < WKB_POINT_BYTES:
        return None
    order = "<" if shape[0] else ">"
    kind, x, y = struct.unpack_from(f"{order}Idd", shape, 1)
    return (x, y) if kind in WKB_POINTS else None
