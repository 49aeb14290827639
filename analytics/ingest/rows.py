"""What the readers of all formats give: rows of texts, bad rows beside the good."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analytics.ingest.reading_options import ReadingOptions, words_of
from analytics.ingest.rules import Fault

MAX_ROWS = 50_000
MAX_CHARS = 1 << 24
MAX_VALUE_CHARS = 200


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be split into its fields, or not be trusted then."""

    fault: Fault
    column: str | None = None
    value: str | None = None


NumberedRow = tuple[int, list[str] | BadRow]


class RowReader(ABC):
    """Iterates once over (number of a row of one file, its fields or what is wrong).

    Attributes
    ----------
    header
        Names of the fields that each good row has.
    identity
        Indices of the fields that say all a row says, for naming rows by content.
    number
        Number of the row that was read last, as people count in this format.
    char_count
        About how much text has been read.
    fault
        What broke the reading off before the end, if something did.
    found
        Options that were found by looking at the file, by their names.
    """

    header: Sequence[str]
    identity: Sequence[int]

    def __init__(self) -> None:
        self.number = 0
        self.char_count = 0
        self.fault: Fault | None = None
        self.found: dict[str, Any] = {}

    @property
    def decided(self) -> list[str]:
        """The options to type for what was found by looking."""
        return words_of(self.found)

    def options_for(self, options: ReadingOptions) -> ReadingOptions:
        """Add the format of times that was found, where none was said."""
        if options.time_format or "time_format" not in self.found:
            return options
        return replace(options, time_format=self.found["time_format"])

    @abstractmethod
    def __iter__(self) -> Iterator[NumberedRow]: ...


@dataclass(slots=True, kw_only=True)
class Chunk:
    """Rows with their numbers in the file; `bad` ones never were fields.

    `end` counts the rows of the file up to the last of this chunk.
    """

    end: int = 0
    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    bad: list[tuple[int, BadRow]] = field(default_factory=list)


def read_chunks(rows: RowReader, *, cut: int = 0) -> Iterator[Chunk]:
    """Read chunks of bounded size, one of which ends after `cut` rows."""
    chunk, read_before = Chunk(), rows.char_count
    for end, (number, row) in enumerate(rows, start=1):
        chunk.end = end
        if isinstance(row, BadRow):
            chunk.bad.append((number, row))
        else:
            chunk.numbers.append(number)
            chunk.rows.append(row)
        is_full = len(chunk.rows) >= MAX_ROWS or len(chunk.bad) >= MAX_ROWS
        if is_full or end == cut or rows.char_count - read_before >= MAX_CHARS:
            yield chunk
            chunk, read_before = Chunk(), rows.char_count
    if chunk.end:
        yield chunk
