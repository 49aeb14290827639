"""How numbers are written: the decimal sign, thousands, and 250K."""

import re
from dataclasses import dataclass

# Powers of ten.
SUFFIXES = {"K": 3, "M": 6, "B": 9, "T": 12}
SPACES = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")
CURRENCY = "$€£¥"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numerals:
    """The signs of numbers.

    Parameters
    ----------
    grouping
        What stands between thousands, where something may.
    is_amount
        A currency sign in front and K, M, B or T behind are understood.
    """

    decimal: str = "."
    grouping: str = ""
    is_amount: bool = False

    def read(self, text: str) -> float | None:
        """Give the number; none where there is none. It may be infinite or NaN."""
        text, power = self.written(text)
        # float() takes 1_000 and digits of other scripts; a file means neither.
        if not text.isascii() or "_" in text:
            return None
        try:
            number = float(text)
        except ValueError:
            return None
        return round(number * 10.0**power, 6) if power else number

    def written(self, text: str) -> tuple[str, int]:
        """Write a number with a point and no thousands, and the power of ten behind.

        What is no number is given as some text that is none either.
        """
        power = 0
        if self.is_amount:
            text = text.lstrip(CURRENCY).strip()
            # Without a number before it, B is no billion.
            if text[-1:].upper() in SUFFIXES and text[-2:-1].isdecimal():
                power, text = SUFFIXES[text[-1].upper()], text[:-1]
        if self.grouping or self.decimal != ".":
            text = self._plain(text)
        return text, power

    def _plain(self, text: str) -> str:
        """Write the number with a point and no thousands, or what is none."""
        if self.grouping == " ":
            text = SPACES.sub("", text)
        whole, sign, rest = text.partition(self.decimal)
        if self.grouping and self.grouping in whole:
            first, *groups = whole.split(self.grouping)
            sizes = [len(group) for group in groups]
            is_grouped = sizes[-1] == 3 and all(2 <= size <= 3 for size in sizes)
            if not is_grouped or not 1 <= len(first.lstrip("+-")) <= 3:
                return "?"
            whole = first + "".join(groups)
        # A point that is neither is no decimal sign either.
        is_odd = self.decimal != "." and "." in whole + rest
        return "?" if is_odd else whole + ("." if sign else "") + rest
