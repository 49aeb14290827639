"""Values of one row of a file: read strictly, and what is wrong is noted."""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from analytics.ingest.rejections import shown
from scoring.services.portfolios.location_files.faults import FaultCode, RowFault

MAX_NUMBER_CHARS = 40
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
CENT = Decimal("0.01")
# What rounds to this would not fit into the column.
BEYOND = Decimal(10**18) - 1
ZERO = Decimal("0.00")


class RowValues:
    """Gives the values of a row by the folded names of its columns.

    A value at fault reads as zero or as empty text, and is noted in `faults`.
    """

    __slots__ = ("_columns", "_header", "_texts", "faults", "row")

    def __init__(
        self,
        row: int,
        texts: Sequence[str],
        *,
        columns: Mapping[str, int],
        header: Sequence[str],
    ) -> None:
        self.row = row
        self.faults: list[RowFault] = []
        self._texts = texts
        self._columns = columns
        self._header = header

    def raw(self, column: str) -> str:
        """Give the text as it stands; empty where there is no such column."""
        place = self._columns.get(column)
        return "" if place is None else self._texts[place].strip()

    def text(self, column: str, *, max_chars: int, is_required: bool = False) -> str:
        text = self.raw(column)
        if not text and is_required:
            self.note(column, FaultCode.MISSING_VALUE, "the value is missing.")
        elif len(text) > max_chars:
            self.note(
                column,
                FaultCode.BAD_TEXT,
                f"the text has {len(text)} characters, {max_chars} at most fit.",
            )
        elif not text.isprintable() and CONTROL.search(text):
            self.note(
                column,
                FaultCode.BAD_TEXT,
                f"{shown(text)} holds control characters.",
            )
        else:
            return text
        return ""

    def degrees(self, column: str, *, limit: float) -> float:
        text = self.raw(column)
        if not self._is_number(column, text):
            return 0.0
        value = float(text)
        if not math.fabs(value) <= limit:
            reason = f"{value:g} is not between -{limit:g} and {limit:g} degrees."
            self.note(column, FaultCode.OUT_OF_RANGE, reason)
            return 0.0
        return value

    def amount(self, column: str) -> Decimal | None:
        """Read a number that is not negative; None where the row leaves it empty."""
        text = self.raw(column)
        if not text:
            return None
        if not self._is_number(column, text):
            return ZERO
        amount = Decimal(text)
        if not 0 <= amount < BEYOND:
            reason = f"{shown(text)} is not between 0 and 10^18."
            self.note(column, FaultCode.OUT_OF_RANGE, reason)
            return ZERO
        return amount

    def money(self, column: str) -> Decimal | None:
        """Read an amount, to the cent."""
        amount = self.amount(column)
        return None if amount is None else amount.quantize(CENT)

    def required_money(self, column: str) -> Decimal:
        amount = self.money(column)
        if amount is None:
            self.note(column, FaultCode.MISSING_VALUE, "the amount is missing.")
            return ZERO
        return amount

    def note(self, column: str, code: FaultCode, reason: str) -> None:
        place = self._columns.get(column)
        name = column if place is None else self._header[place]
        self.faults.append(
            RowFault(row=self.row, column=name, code=code.value, reason=reason)
        )

    def _is_number(self, column: str, text: str) -> bool:
        if not text:
            self.note(column, FaultCode.MISSING_VALUE, "the number is missing.")
        elif len(text) > MAX_NUMBER_CHARS or NUMBER.fullmatch(text) is None:
            hint = " Use a point as the decimal sign." if "," in text else ""
            reason = f"{shown(text)} is not a number.{hint}"
            self.note(column, FaultCode.BAD_NUMBER, reason)
        else:
            return True
        return False
