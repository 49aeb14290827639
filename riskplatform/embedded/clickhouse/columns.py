"""How many bytes a column takes: passes over Native columns without decoding them.

Decoding and encoding again would lose what Python types cannot hold (both hours of a
clock going back, bytes that are no UTF-8), and cost ten times as much.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from riskplatform.embedded.clickhouse.errors import UNKNOWN_TYPE, QueryError, refusal
from riskplatform.embedded.clickhouse.typenames import (
    TypeName,
    element_type,
    parse_type_name,
)

WIDTHS_BYTES = {
    **dict.fromkeys(("Int8", "UInt8", "Bool", "Enum8", "Nothing"), 1),
    **dict.fromkeys(("Int16", "UInt16", "Enum16", "Date", "BFloat16"), 2),
    **dict.fromkeys(("Int32", "UInt32", "Float32", "Date32", "DateTime"), 4),
    **dict.fromkeys(("Decimal32", "IPv4", "Time"), 4),
    **dict.fromkeys(("Int64", "UInt64", "Float64", "DateTime64", "Decimal64"), 8),
    "Time64": 8,
    **dict.fromkeys(("Int128", "UInt128", "UUID", "IPv6", "Decimal128"), 16),
    **dict.fromkeys(("Int256", "UInt256", "Decimal256"), 32),
}
ALIASES = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "MultiLineString": "Array(LineString)",
    "Polygon": "Array(Ring)",
    "MultiPolygon": "Array(Polygon)",
}
NESTING_TYPES = frozenset(
    {"Nullable", "LowCardinality", "Array", "Tuple", "Map", "Nested"}
)
DECIMAL_WIDTHS = ((9, 4), (18, 8), (38, 16), (76, 32))
INDEX_WIDTH_MASK = 0xFF


class Flow(Protocol):
    """Moves over the bytes of a block; what it does with them is its own affair."""

    def fixed(self, size_bytes: int) -> bytes: ...

    def strings(self, count: int) -> None: ...


class Column(Protocol):
    def pass_prefix(self, flow: Flow) -> None: ...

    def pass_rows(self, flow: Flow, rows: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedColumn:
    width_bytes: int

    def pass_prefix(self, flow: Flow) -> None:
        """A plain column has no prefix."""

    def pass_rows(self, flow: Flow, rows: int) -> None:
        flow.fixed(rows * self.width_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class StringColumn:
    def pass_prefix(self, flow: Flow) -> None:
        """A plain column has no prefix."""

    def pass_rows(self, flow: Flow, rows: int) -> None:
        flow.strings(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class NullableColumn:
    inner: Column

    def pass_prefix(self, flow: Flow) -> None:
        self.inner.pass_prefix(flow)

    def pass_rows(self, flow: Flow, rows: int) -> None:
        flow.fixed(rows)
        self.inner.pass_rows(flow, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayColumn:
    inner: Column

    def pass_prefix(self, flow: Flow) -> None:
        self.inner.pass_prefix(flow)

    def pass_rows(self, flow: Flow, rows: int) -> None:
        ends = flow.fixed(rows * 8)
        self.inner.pass_rows(flow, int.from_bytes(ends[-8:], "little"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TupleColumn:
    elements: tuple[Column, ...]

    def pass_prefix(self, flow: Flow) -> None:
        for element in self.elements:
            element.pass_prefix(flow)

    def pass_rows(self, flow: Flow, rows: int) -> None:
        for element in self.elements:
            element.pass_rows(flow, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class LowCardinalityColumn:
    dictionary: Column

    def pass_prefix(self, flow: Flow) -> None:
        flow.fixed(8)

    def pass_rows(self, flow: Flow, rows: int) -> None:
        if not rows:
            return
        kind = int.from_bytes(flow.fixed(8), "little")
        keys = int.from_bytes(flow.fixed(8), "little")
        self.dictionary.pass_rows(flow, keys)
        index_width_bytes = 1 << (kind & INDEX_WIDTH_MASK)
        flow.fixed(8 + rows * index_width_bytes)


@lru_cache(maxsize=1024)
def column_of(type_name: str) -> Column:
    """Build the column of a type; types of unknown layout are refused."""
    parsed = parse_type_name(ALIASES.get(type_name, type_name))
    if parsed.name in NESTING_TYPES:
        parts = [column_of(element_type(argument)) for argument in parsed.arguments]
        return _nested_column(parsed.name, tuple(parts))
    if parsed.name == "String":
        return StringColumn()
    if parsed.name == "SimpleAggregateFunction":
        return column_of(parsed.arguments[1])
    return FixedColumn(width_bytes=_width_bytes(parsed))


def is_known(type_name: str) -> bool:
    try:
        column_of(type_name)
    except QueryError:
        return False
    return True


def _nested_column(name: str, parts: tuple[Column, ...]) -> Column:
    if name == "Tuple":
        return TupleColumn(elements=parts)
    if name == "Nullable":
        return NullableColumn(inner=parts[0])
    if name == "LowCardinality":
        return LowCardinalityColumn(dictionary=_without_nulls(parts[0]))
    # Map and Nested are arrays of tuples.
    return ArrayColumn(
        inner=parts[0] if name == "Array" else TupleColumn(elements=parts)
    )


def _width_bytes(parsed: TypeName) -> int:
    match parsed.name, parsed.arguments:
        case "FixedString", (width,):
            return int(width)
        case "Decimal", (precision, *_):
            return _decimal_width(int(precision))
    if parsed.name.startswith("Interval"):
        return 8
    width_bytes = WIDTHS_BYTES.get(parsed.name)
    if width_bytes is None:
        raise refusal(
            f"The embedded server does not know the layout of {parsed.name}. "
            "Insert such columns with INSERT ... SELECT or inline VALUES.",
            UNKNOWN_TYPE,
        )
    return width_bytes


def _without_nulls(inner: Column) -> Column:
    # Row zero of the dictionary stands for NULL; there is no null map.
    return inner.inner if isinstance(inner, NullableColumn) else inner


def _decimal_width(precision: int) -> int:
    return next(width for limit, width in DECIMAL_WIDTHS if precision <= limit)
