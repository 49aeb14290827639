"""Blocks in memory: where one ends, and what its columns are called."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskplatform.embedded.clickhouse.columns import column_of
from riskplatform.embedded.clickhouse.engine import ColumnHeader
from riskplatform.embedded.clickhouse.errors import TABLE_CHANGED, refusal
from riskplatform.embedded.clickhouse.protocol import string, varint


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeBlock:
    content: bytes
    headers: list[ColumnHeader]


def block_of_buffers(content: bytes, headers: Sequence[ColumnHeader]) -> bytes:
    """Put names and types before the values of a block in the Buffers format.

    Buffers says how long each column is, where Native has to be walked over.
    """
    columns, rows = _uint64(content, 0), _uint64(content, 8)
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
        position = start + _uint64(content, position)
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


def _pass_column(walk: "_BlockWalk", rows: int) -> ColumnHeader:
    header = ColumnHeader(walk.text(), walk.text())
    column_of(header.type_name).pass_over(walk, rows)
    return header


def _uint64(content: bytes, start: int) -> int:
    return int.from_bytes(content[start : start + 8], "little")


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
