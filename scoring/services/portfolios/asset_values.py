"""Values of one row of a file of assets: read strictly, and what is wrong is noted.

What the rules of events say as well has their codes, `RowCode`; `AssetCode` are the
others.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from analytics.ingest.reading_options import AS_A_POST, ReadingOptions
from analytics.ingest.rules import (
    MISSING,
    MISSING_NUMBER,
    Fault,
    RowCode,
    bad_number,
    latitude_fault,
    longitude_fault,
    shown,
    too_long,
)
from riskplatform.kernel.errors import FieldFault

MAX_NUMBER_CHARS = 40
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
CENT = Decimal("0.01")
# What rounds to this would not fit into the column.
BEYOND = Decimal(10**18) - 1
ZERO = Decimal("0.00")


class AssetCode(StrEnum):
    BAD_TEXT = "bad_text"
    OUT_OF_RANGE = "out_of_range"
    WRONG_CURRENCY = "wrong_currency"
    UNKNOWN_VULNERABILITY = "unknown_vulnerability"
    UNSUPPORTED_TERM = "unsupported_term"
    DUPLICATE_REFERENCE = "duplicate_reference"
    REFERENCE_TAKEN = "reference_taken"


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One row that can be read; `curves` are slugs, the first that exists counts.

    `ignored` names the columns of terms that an asset cannot have.
    """

    row: int
    reference: str
    name: str
    lat: float
    lon: float
    value: Decimal
    deductible: Decimal
    limit: Decimal | None
    currency: str
    curves: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def row_fault(
    row: int, column: str | None, code: AssetCode | RowCode, reason: str
) -> FieldFault:
    """Say what is wrong with a row; `row` is its line, that of the header being 1."""
    return FieldFault(
        (row, column) if column else (row,),
        reason,
        {"row": row, "column": column, "code": code.value},
    )


def fault_text(fault: FieldFault) -> str:
    row, column = fault.facts["row"], fault.facts["column"]
    where = f", column {column}" if column else ""
    return f"row {row}{where}: {fault.reason}"


class RowValues:
    """Gives the values of a row by the folded names of its columns.

    A value at fault reads as zero or as empty text, and is noted in `faults`.
    """

    __slots__ = ("_columns", "_header", "_options", "_texts", "faults", "row")

    def __init__(
        self,
        row: int,
        texts: Sequence[str],
        *,
        columns: Mapping[str, int],
        header: Sequence[str],
        options: ReadingOptions = AS_A_POST,
    ) -> None:
        self.row = row
        self._options = options
        self.faults: list[FieldFault] = []
        self._texts = texts
        self._columns = columns
        self._header = header

    def raw(self, column: str) -> str:
        """Give the text as it stands; empty where there is no such column."""
        index = self._columns.get(column)
        return "" if index is None else self._texts[index].strip()

    def text(self, column: str, *, max_chars: int, is_required: bool = False) -> str:
        text = self.raw(column)
        if not text and is_required:
            self.note_fault(column, MISSING)
        elif faults := too_long([text], max_chars):
            self.note_fault(column, faults[0])
        elif not text.isprintable() and CONTROL.search(text):
            reason = f"{shown(text)} holds control characters."
            self.note(column, AssetCode.BAD_TEXT, reason)
        else:
            return text
        return ""

    def place(self, lat_column: str, lon_column: str) -> tuple[float, float]:
        """Read a latitude and a longitude, and notice where they look exchanged."""
        lat, lat_fault = self._degrees(lat_column)
        lon, lon_fault = self._degrees(lon_column)
        if math.fabs(lat) > 90:
            lat_fault = latitude_fault(lat, lon)
        if math.fabs(lon) > 180:
            lon_fault = longitude_fault(lon)
        for column, fault in ((lat_column, lat_fault), (lon_column, lon_fault)):
            if fault is not None:
                self.note_fault(column, fault)
        return lat, lon

    def amount(self, column: str) -> Decimal | None:
        """Read a number that is not negative; None where the row leaves it empty."""
        text = self.raw(column)
        if not text:
            return None
        plain, power = self._options.numerals(is_amount=True).written(text)
        if not _is_number(plain):
            self.note_fault(column, bad_number(text))
            return ZERO
        amount = Decimal(plain).scaleb(power)
        if not 0 <= amount < BEYOND:
            reason = f"{shown(text)} is not between 0 and 10^18."
            self.note(column, AssetCode.OUT_OF_RANGE, reason)
            return ZERO
        return amount

    def money(self, column: str, *, is_required: bool = False) -> Decimal | None:
        """Read an amount, to the cent."""
        amount = self.amount(column)
        if amount is None and is_required:
            self.note_fault(column, MISSING_NUMBER)
        return None if amount is None else amount.quantize(CENT)

    def note_fault(self, column: str, fault: Fault) -> None:
        self.note(column, fault.code, fault.reason)

    def note(self, column: str, code: AssetCode | RowCode, reason: str) -> None:
        self.faults.append(row_fault(self.row, self.title(column), code, reason))

    def title(self, column: str) -> str:
        """Give the name of a column as the header has it."""
        index = self._columns.get(column)
        return column if index is None else self._header[index]

    def _degrees(self, column: str) -> tuple[float, Fault | None]:
        text = self.raw(column)
        if not text:
            return math.nan, MISSING_NUMBER
        plain, _ = self._options.numerals().written(text)
        return (
            (float(plain), None) if _is_number(plain) else (math.nan, bad_number(text))
        )


def _is_number(text: str) -> bool:
    return len(text) <= MAX_NUMBER_CHARS and NUMBER.fullmatch(text) is not None
