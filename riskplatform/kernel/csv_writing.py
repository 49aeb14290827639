"""The one way that CSV leaves the platform: RFC 4180, and no cell is a formula.

A spreadsheet runs a text that begins with one of `FORMULA_STARTS` (CWE-1236). Such a
text gets an apostrophe in front, which spreadsheets take for "this is text"; numbers,
also those written as text, stay as they are. Times are ISO 8601, mappings are JSON.
"""

import csv
import re
from collections.abc import Iterable
from datetime import datetime
from io import StringIO
from typing import Final

import orjson

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Write rows as lines of CSV."""
    out = StringIO(newline="")
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str):
        is_safe = not value.startswith(FORMULA_STARTS) or _NUMBER.fullmatch(value)
        return value if is_safe else f"'{value}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return orjson.dumps(value).decode() if isinstance(value, dict) else value
