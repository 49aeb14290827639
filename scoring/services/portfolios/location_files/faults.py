"""Why a row of a file of assets is refused.

What the rules of events say as well has their codes, `RowCode`; these are the others.
"""

from dataclasses import dataclass
from enum import StrEnum

from riskplatform.kernel.errors import FieldFault

MAX_LISTED = 1_000


class AssetCode(StrEnum):
    BAD_TEXT = "bad_text"
    OUT_OF_RANGE = "out_of_range"
    WRONG_CURRENCY = "wrong_currency"
    UNKNOWN_VULNERABILITY = "unknown_vulnerability"
    UNSUPPORTED_TERM = "unsupported_term"
    DUPLICATE_REFERENCE = "duplicate_reference"
    REFERENCE_TAKEN = "reference_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """What is wrong with a row; `row` is its line in the file, the header being 1."""

    row: int
    column: str | None
    code: str
    reason: str

    def __str__(self) -> str:
        where = f", column {self.column}" if self.column else ""
        return f"row {self.row}{where}: {self.reason}"

    def as_field_fault(self) -> FieldFault:
        return FieldFault(
            (self.row, self.column) if self.column else (self.row,),
            self.reason,
            {"row": self.row, "column": self.column, "code": self.code},
        )


class FaultList:
    """Counts all faults and keeps the first of them, in the order of rows."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[RowFault] = []

    def add(self, fault: RowFault) -> None:
        self.count += 1
        if len(self._first) < 2 * MAX_LISTED:
            self._first.append(fault)

    def listed(self) -> list[RowFault]:
        return sorted(self._first, key=lambda fault: fault.row)[:MAX_LISTED]
