"""Rows of a file in chunks of bounded size, bad rows beside the good ones."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from analytics.ingest.row_source import BadRow, RowSource

MAX_ROWS = 20_000
MAX_CHARS = 1 << 24


@dataclass(slots=True, kw_only=True)
class Chunk:
    """Rows with their numbers in the file; `bad` ones never were fields."""

    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    bad: list[tuple[int, BadRow]] = field(default_factory=list)
    char_count: int = 0

    def add(self, number: int, row: list[str] | BadRow) -> None:
        if isinstance(row, BadRow):
            self.bad.append((number, row))
            return
        self.numbers.append(number)
        self.rows.append(row)
        self.char_count += sum(map(len, row))

    @property
    def row_count(self) -> int:
        return len(self.rows) + len(self.bad)

    @property
    def is_full(self) -> bool:
        return self.row_count >= MAX_ROWS or self.char_count >= MAX_CHARS


def read_chunks(rows: RowSource) -> Iterator[Chunk]:
    chunk = Chunk()
    for number, row in rows:
        chunk.add(number, row)
        if chunk.is_full:
            yield chunk
            chunk = Chunk()
    if chunk.row_count:
        yield chunk
