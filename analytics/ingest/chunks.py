"""Rows of a file in chunks of bounded size, bad rows beside the good ones."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from analytics.ingest.row_source import BadRow, RowSource

MAX_ROWS = 50_000
MAX_CHARS = 1 << 24


@dataclass(slots=True, kw_only=True)
class Chunk:
    """Rows with their numbers in the file; `bad` ones never were fields."""

    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    bad: list[tuple[int, BadRow]] = field(default_factory=list)

    @property
    def row_count(self) -> int:
        return len(self.rows) + len(self.bad)


def read_chunks(rows: RowSource) -> Iterator[Chunk]:
    chunk, read_before = Chunk(), rows.char_count
    for row_count, (number, row) in enumerate(rows, start=1):
        if isinstance(row, BadRow):
            chunk.bad.append((number, row))
        else:
            chunk.numbers.append(number)
            chunk.rows.append(row)
        if row_count % MAX_ROWS == 0 or rows.char_count - read_before >= MAX_CHARS:
            yield chunk
            chunk, read_before = Chunk(), rows.char_count
    if chunk.row_count:
        yield chunk
