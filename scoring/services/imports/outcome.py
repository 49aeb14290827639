"""What the import of an uploaded file came to, as its page shows it."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

SHOWN_REJECTIONS: Final = 50
SHOWN_ROWS: Final = 10
SHOWN_CHARS: Final = 200

# Takes how much of the file has been read, 0 to 1.
OnFraction = Callable[[float], None]


class ImportOutcome(Struct, kw_only=True):
    """`rows` are the first of the file, `words` the options that it was read with.

    `taken` counts rows that were stored, or would have been.
    """

    lines: list[str]
    columns: list[str]
    rows: list[list[str]]
    rejections: list[str]
    taken: int
    words: str = ""
    resolution: int | None = None
