"""How a file is written: its dialect, and how its times, numbers and blanks read."""

import shlex
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Self

from analytics.errors import ReadingOptionsError
from analytics.grid import Bounds
from analytics.ingest.numbers import Numerals

# What people's tools write where they know nothing. They are words of numbers, times
# and ids; in other columns NA may be Namibia, so there only what `nulls` name is empty.
USUAL_NULLS = (
    *("NA", "N/A", "#N/A", "<NA>", "NULL", "\\N", "NaN", "NaT", "None", "nil"),
    *("-", "--", "?"),
)
POINTS = ("exact", "centroid")
MAX_SKIPPED_LINES = 10_000
# Options that belong to one run, not to how the files of a source are written.
OF_ONE_RUN = ("since", "within", "is_lenient")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """How a file is to be read; without any it is read as a POST is.

    Parameters
    ----------
    delimiter
        Of a CSV file; found by looking where it is none.
    columns
        Names of the columns of a CSV file that has no header.
    skip_lines, comment
        Lines before the header, and what a line begins with that is none.
    decimal, thousands
        Signs within numbers.
    nulls
        Texts and numbers that mean that nothing is known, in every column.
    time_format
        `iso`, `epoch_s`, `epoch_ms`, `excel` or a format of strptime; several with a
        bar between them.
    point
        `centroid` takes the middle of what is not a point.
    layer
        Name of the layer of a file that has several.
    allow_null_island
        Latitude 0, longitude 0 is a place.
    is_lenient
        Read what people write, as well as what programs do: loose ISO times, the usual
        nulls, rows without an id, longitudes up to 360; what cannot be read in an
        optional column is left empty.
    since, within
        Leave out what happened earlier or elsewhere.
    """

    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    skip_lines: int = 0
    comment: str = ""
    decimal: str = "."
    thousands: str = ""
    nulls: tuple[str, ...] = ()
    time_format: str = ""
    point: str = "exact"
    layer: str = ""
    allow_null_island: bool = False
    is_lenient: bool = False
    since: datetime | None = None
    within: Bounds | None = None

    def __post_init__(self) -> None:
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise ReadingOptionsError("The delimiter is one character.")
        if self.delimiter in {'"', "\n", "\r"}:
            raise ReadingOptionsError("Quotes and line breaks cannot be delimiters.")
        if self.decimal not in {".", ","}:
            raise ReadingOptionsError("The decimal sign is a point or a comma.")
        if len(self.thousands) > 1 or self.thousands == self.decimal:
            raise ReadingOptionsError(
                "The thousands separator is one character, another than the decimal"
                " sign."
            )
        if not 0 <= self.skip_lines <= MAX_SKIPPED_LINES:
            raise ReadingOptionsError(
                f"Between 0 and {MAX_SKIPPED_LINES:,} lines can be skipped."
            )
        if self.point not in POINTS:
            raise ReadingOptionsError(f"--point is one of {', '.join(POINTS)}.")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Take options by their names, as they were saved or said."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in given.items() if name in known}
        for name in ("columns", "nulls"):
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)

    @classmethod
    def said(cls, options: Mapping[str, Any]) -> Self:
        """Take those of some options that were given; what is None was not."""
        given = {name: value for name, value in options.items() if value is not None}
        return cls.of(given)

    @property
    def grouping(self) -> str:
        """The sign between thousands; with a decimal comma it can only be a point."""
        return self.thousands or ("." if self.decimal == "," else "")

    def numerals(self, *, is_amount: bool = False) -> Numerals:
        return _numerals(self.decimal, self.grouping, is_amount)

    def saved(self) -> dict[str, Any]:
        """Give what differs from nothing said, as JSON keeps it."""
        return {
            field.name: list(value) if isinstance(value, tuple) else value
            for field in fields(self)
            if field.name not in OF_ONE_RUN
            and field.default is not MISSING
            and (value := getattr(self, field.name)) != field.default
        }


@cache
def _numerals(decimal: str, grouping: str, is_amount: bool) -> Numerals:  # noqa: FBT001 - cached by place
    return Numerals(decimal=decimal, grouping=grouping, is_amount=is_amount)


AS_A_POST = ReadingOptions(allow_null_island=True)


def words_of(saved: Mapping[str, Any]) -> list[str]:
    """Write saved options as they are typed."""
    words: list[str] = []
    for name, value in saved.items():
        text = ",".join(value) if isinstance(value, list | tuple) else str(value)
        option = "--null" if name == "nulls" else f"--{name.replace('_', '-')}"
        words.append(option if value is True else f"{option} {shlex.quote(text)}")
    return words
