"""Blocks in memory: where one ends, and what its columns are called."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clickhouse_driver.varint import make_varint

from riskplatform.embedded.clickhouse.columns import column_of
from riskplatform.embedded.clickhouse.engine import ColumnHeader
from riskplatform.embedded.clickhouse.errors import TABLE_CHANGED, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One column of a block: its name and type lie before its values."""

    header: ColumnHeader
    values_start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeBlock:
    content: bytes
    start: int
    rows: int
    spans: tuple[Span, ...]

    @property
    def headers(self) -> list[ColumnHeader]:
        return [span.header for span in self.spans]

    @property
    def end(self) -> int:
        return self.spans[-1].end

    def alone(self) -> bytes:
        return self.content[self.start : self.end]


def block_of_buffers(content: bytes, headers: Sequence[ColumnHeader]) -> bytes:
    """Put names and types before the values of a block in the Buffers format.

    Buffers says how long each column is, where Native has to be walked over.
    """
    columns, rows = (int.from_bytes(content[i : i + 8], "little") for i in (0, 8))
    if columns != len(headers):
        raise refusal(
            f"The table changed while it was read: {columns} columns instead of "
            f"{len(headers)}. Repeat the query.",
            TABLE_CHANGED,
        )
    pieces = [_varint(len(headers)), _varint(rows)]
    position = 16
    for header in headers:
        size_bytes = int.from_bytes(content[position : position + 8], "little")
        start, position = position + 8, position + 8 + size_bytes
        pieces += [_text(header.name), _text(header.type_name)]
        pieces.append(content[start:position])
    return b"".join(pieces)


def split_blocks(content: bytes) -> Iterator[NativeBlock]:
    """Find the blocks that follow each other in a Native answer."""
    start = 0
    while start < len(content):
        block = read_block(content, start)
        yield block
        start = block.end


def row_count(native_block: bytes) -> int:
    walk = _BlockWalk(native_block, 0)
    walk.varint()
    return walk.varint()


def read_block(content: bytes, start: int = 0) -> NativeBlock:
    walk = _BlockWalk(content, start)
    columns, rows = walk.varint(), walk.varint()
    spans = tuple(_read_span(walk, rows) for _ in range(columns))
    return NativeBlock(content=content, start=start, rows=rows, spans=spans)


def _read_span(walk: "_BlockWalk", rows: int) -> Span:
    header = ColumnHeader(name=walk.text(), type_name=walk.text())
    column = column_of(header.type_name)
    values_start = walk.position
    column.pass_prefix(walk)
    column.pass_rows(walk, rows)
    return Span(header=header, values_start=values_start, end=walk.position)


class _BlockWalk:
    """A flow over bytes that are already here."""

    def __init__(self, content: bytes, position: int) -> None:
        self._content = content
        self.position = position

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


def _text(content: str) -> bytes:
    encoded = content.encode()
    return _varint(len(encoded)) + encoded


def _varint(number: int) -> bytes:
    encoded: bytes = make_varint(number)
    return encoded
