"""The one way that CSV leaves the platform: RFC 4180, and no cell is a formula.

A spreadsheet runs a text that begins with one of `FORMULA_STARTS` (CWE-1236). Such a
text gets an apostrophe in front, which spreadsheets take for "this is text"; numbers,
also those written as text, stay as they are.
"""

import csv
import re
from collections.abc import Iterable
from io import StringIO
from typing import Final

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def csv_text(rows: Iterable[Iterable[object]], *, line_end: str = "\r\n") -> str:
    """Write rows as lines of CSV."""
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator=line_end)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str) or not value.startswith(FORMULA_STARTS):
        return value
    return value if _NUMBER.fullmatch(value) else f"'{value}"
