"""Rows out of NDJSON: one object a line."""

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from analytics.errors import EventFileError
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.json_fields import (
    PEEKED_ROWS,
    FieldReader,
    check_names,
    read_object,
)
from analytics.ingest.line_source import MAX_LINE_BYTES, LineSource
from analytics.ingest.row_source import TOO_LONG
from analytics.ingest.rows import BadRow, NumberedRow
from analytics.ingest.rules import Fault

MAX_VALUE_CHARS = 200
NumberedObject = tuple[int, Mapping[str, Any] | BadRow]


class NdjsonRows:
    """Iterates over (number of the line, its fields or what is wrong)."""

    def __init__(self, lines: LineSource, *, column_map: ColumnMap, file: str) -> None:
        self.char_count = 0
        self.number = 0
        self._lines = lines
        self._fields = FieldReader(column_map)
        self.header = self._fields.header
        self.identity = self._fields.identity
        self._peeked = deque(islice(self._objects(), PEEKED_ROWS))
        if not self._peeked:
            raise EventFileError(f"{file} is empty.", file=file)
        good = (it for _, it in self._peeked if not isinstance(it, BadRow))
        check_names(good, column_map, file=file)
        self.char_count = 0

    def __iter__(self) -> Iterator[NumberedRow]:
        while self._peeked:
            yield self._row(self._peeked.popleft())
        for numbered in self._objects():
            yield self._row(numbered)

    def _row(self, numbered: NumberedObject) -> NumberedRow:
        self.number, known = numbered
        if isinstance(known, BadRow):
            return self.number, known
        return self.number, self._fields.read(known)

    def _objects(self) -> Iterator[NumberedObject]:
        for line in self._lines:
            if not line.isspace():
                self.char_count += len(line)
                yield self._lines.number, _decode(line)


def _decode(line: str) -> Mapping[str, Any] | BadRow:
    if len(line) > MAX_LINE_BYTES:
        return BadRow(TOO_LONG)
    known = read_object(line.encode("utf-8", "surrogateescape"))
    if isinstance(known, Fault):
        value = line.encode("utf-8", "replace").decode()[:MAX_VALUE_CHARS]
        return BadRow(known, value=value)
    return known
