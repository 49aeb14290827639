"""What the readers of all formats give: rows of texts, bad rows beside the good."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from analytics.ingest.rejections import Fault


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be split into its fields, or not be trusted then."""

    fault: Fault
    column: str | None = None
    value: str | None = None


NumberedRow = tuple[int, list[str] | BadRow]


class Rows(Protocol):
    """The rows of one file, read once.

    Attributes
    ----------
    header
        Names of the fields that each good row has.
    identity
        Places of the fields that say all a row says, for naming rows by content.
    number
        Number of the row that was read last, as people count in this format.
    char_count
        About how much text has been read.
    """

    @property
    def header(self) -> Sequence[str]: ...

    @property
    def identity(self) -> Sequence[int]: ...

    @property
    def number(self) -> int: ...

    @property
    def char_count(self) -> int: ...

    def __iter__(self) -> Iterator[NumberedRow]: ...
