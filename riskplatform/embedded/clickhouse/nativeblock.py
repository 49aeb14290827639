"""Native blocks: passes over their columns without decoding them.

Decoding and encoding again would lose what Python types cannot hold (both hours of a
clock going back, bytes that are no UTF-8), and cost ten times as much.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from riskplatform.embedded.clickhouse.engine import ColumnHeader
from riskplatform.embedded.clickhouse.errors import (
    TABLE_CHANGED,
    UNKNOWN_TYPE,
    QueryError,
    refusal,
)
from riskplatform.embedded.clickhouse.protocol import string, varint
from riskplatform.embedded.clickhouse.statement import tokens

_ELEMENT_NAME = re.compile(r"(?:`(?:[^`\\]|\\.)*`|[A-Za-z_]\w*)\s+(?=\S)")
WIDTHS_BYTES = {
    # Each value says how long it is.
    "String": 0,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeName:
    name: str
    arguments: tuple[str, ...] = ()


class Flow(Protocol):
    """Moves over the bytes of a block; what it does with them is its own affair."""

    def fixed(self, size_bytes: int) -> bytes: ...

    def strings(self, count: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column and those inside it; `width_bytes` of each value, where it is fixed."""

    kind: str = "Fixed"
    parts: tuple["Column", ...] = ()
    width_bytes: int = 0

    def pass_over(self, flow: Flow, rows: int) -> None:
        """Pass over the column as it stands in a block: a prefix, then its values."""
        self._pass_prefix(flow)
        self._pass_rows(flow, rows)

    def _pass_prefix(self, flow: Flow) -> None:
        if self.kind == "LowCardinality":
            flow.fixed(8)
        else:
            for part in self.parts:
                part._pass_prefix(flow)  # noqa: SLF001 - of the same class

    def _pass_rows(self, flow: Flow, rows: int) -> None:
        if self.kind == "LowCardinality":
            self._pass_dictionary(flow, rows)
            return
        if self.kind == "String":
            flow.strings(rows)
        elif self.kind == "Array":
            rows = _uint64(flow.fixed(rows * 8)[-8:])
        elif self.width_bytes:
            flow.fixed(rows * self.width_bytes)
        for part in self.parts:
            part._pass_rows(flow, rows)  # noqa: SLF001 - of the same class

    def _pass_dictionary(self, flow: Flow, rows: int) -> None:
        if rows:
            index_width_bytes = 1 << (_uint64(flow.fixed(8)) & INDEX_WIDTH_MASK)
            n_keys = _uint64(flow.fixed(8))
            self.parts[0]._pass_rows(flow, n_keys)  # noqa: SLF001 - of the same class
            flow.fixed(8 + rows * index_width_bytes)


@lru_cache(maxsize=1024)
def column_of(type_name: str) -> Column:
    """Build the column of a type; types of unknown layout are refused."""
    parsed = parse_type_name(ALIASES.get(type_name, type_name))
    name = parsed.name
    if name == "SimpleAggregateFunction":
        return column_of(parsed.arguments[1])
    if name not in NESTING_TYPES:
        return Column(kind=name, width_bytes=_width_bytes(parsed))
    parts = tuple(column_of(element_type(argument)) for argument in parsed.arguments)
    if name == "LowCardinality" and parts[0].kind == "Nullable":
        # Row zero of the dictionary stands for NULL; there is no null map.
        parts = parts[0].parts
    if name in {"Map", "Nested"}:
        return Column(kind="Array", parts=parts)
    # The map of what is NULL has a byte for each row.
    return Column(kind=name, parts=parts, width_bytes=int(name == "Nullable"))


def is_known(type_name: str) -> bool:
    try:
        column_of(type_name)
    except QueryError:
        return False
    return True


class NativeBlock(NamedTuple):
    content: bytes
    headers: list[ColumnHeader]


def block_of_buffers(content: bytes, headers: Sequence[ColumnHeader]) -> bytes:
    """Put names and types before the values of a block in the Buffers format.

    Buffers says how long each column is, where Native has to be walked over.
    """
    columns, rows = _uint64(content[:8]), _uint64(content[8:16])
    if columns != len(headers):
        raise refusal(
            f"The table changed while it was read: {columns} columns instead of "
            f"{len(headers)}. Repeat the query.",
            TABLE_CHANGED,
        )
    pieces = [varint(len(headers)), varint(rows)]
    position = 16
    for header in headers:
        start = position + 8
        position = start + _uint64(content[position : position + 8])
        pieces += [*map(string, header), content[start:position]]
    return b"".join(pieces)


def split_blocks(content: bytes) -> Iterator[NativeBlock]:
    """Find the blocks that follow each other in a Native answer."""
    walk = _BlockWalk(content)
    while walk.position < len(content):
        start = walk.position
        columns, rows = walk.varint(), walk.varint()
        headers = [_pass_column(walk, rows) for _ in range(columns)]
        yield NativeBlock(content=content[start : walk.position], headers=headers)


def row_count(native_block: bytes) -> int:
    walk = _BlockWalk(native_block)
    walk.varint()
    return walk.varint()


class _BlockWalk:
    """A flow over bytes that are already here."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def fixed(self, size_bytes: int) -> bytes:
        start = self.position
        self.position += size_bytes
        return self._content[start : self.position]

    def strings(self, count: int) -> None:
        content, position = self._content, self.position
        for _ in range(count):
            size = content[position]
            position += 1
            # Nearly all strings are short; the loop is the cost of a wide result.
            if size > 127:
                self.position = position - 1
                size = self.varint()
                position = self.position
            position += size
        self.position = position

    def varint(self) -> int:
        number, shift = 0, 0
        while True:
            byte = self._content[self.position]
            self.position += 1
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7

    def text(self) -> str:
        return self.fixed(self.varint()).decode()


def _pass_column(walk: "_BlockWalk", rows: int) -> ColumnHeader:
    header = ColumnHeader(walk.text(), walk.text())
    column_of(header.type_name).pass_over(walk, rows)
    return header


def _width_bytes(parsed: TypeName) -> int:
    match parsed.name, parsed.arguments:
        case "FixedString", (width,):
            return int(width)
        case "Decimal", (precision, *_):
            return next(wide for most, wide in DECIMAL_WIDTHS if int(precision) <= most)
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


def _uint64(content: bytes) -> int:
    return int.from_bytes(content, "little")


def parse_type_name(text: str) -> TypeName:
    """Split off the outermost name; the arguments stay text."""
    head, bracket, rest = text.strip().partition("(")
    if not bracket:
        return TypeName(name=head)
    inner = rest.rstrip().removesuffix(")")
    return TypeName(name=head.strip(), arguments=tuple(_split_arguments(inner)))


def element_type(text: str) -> str:
    """Drop the name of a tuple element: `lat Float64` is a `Float64`."""
    named = _ELEMENT_NAME.match(text)
    return text if named is None else text[named.end() :]


def _split_arguments(text: str) -> list[str]:
    commas = [it.start for it in tokens(text) if (it.text, it.depth) == (",", 0)]
    bounds = zip(
        [0, *(comma + 1 for comma in commas)], [*commas, len(text)], strict=True
    )
    return [part for start, end in bounds if (part := text[start:end].strip())]
