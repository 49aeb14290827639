"""Rows of a file in chunks of bounded size, bad rows beside the good ones."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from analytics.ingest.rows import BadRow, Rows

MAX_ROWS = 50_000
MAX_CHARS = 1 << 24


@dataclass(slots=True, kw_only=True)
class Chunk:
    """Rows with their numbers in the file; `bad` ones never were fields.

    `end` counts the rows of the file up to the last of this chunk.
    """

    end: int = 0
    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    bad: list[tuple[int, BadRow]] = field(default_factory=list)


def read_chunks(rows: Rows, *, cut: int = 0) -> Iterator[Chunk]:
    """Read chunks, one of which ends after `cut` rows."""
    chunk, read_before, end = Chunk(), rows.char_count, 0
    for end, (number, row) in enumerate(rows, start=1):
        if isinstance(row, BadRow):
            chunk.bad.append((number, row))
        else:
            chunk.numbers.append(number)
            chunk.rows.append(row)
        is_full = len(chunk.rows) >= MAX_ROWS or len(chunk.bad) >= MAX_ROWS
        if is_full or end == cut or rows.char_count - read_before >= MAX_CHARS:
            chunk.end = end
            yield chunk
            chunk, read_before = Chunk(), rows.char_count
    if chunk.rows or chunk.bad:
        chunk.end = end
        yield chunk
