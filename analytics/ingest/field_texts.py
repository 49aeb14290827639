"""Texts of the fields of rows: which columns they come from, and what means nothing."""

import re
from collections.abc import Mapping, Sequence

from analytics.ingest.reading_options import USUAL_NULLS, ReadingOptions
from riskplatform.kernel.csv_writing import FORMULA_STARTS

# A field that several columns make up is theirs with a blank between.
Columns = Mapping[str, int | tuple[int, ...]]
Row = Sequence[str]
WITH_USUAL_NULLS = frozenset({"occurred_at", "lat", "lon", "severity", "amount"})
ID = "external_id"
# What pandas makes of whole numbers in a column with gaps.
FLOAT_ID = re.compile(r"-?\d{1,18}\.0|-?\d(?:\.\d+)?[eE]\+\d{2}", re.ASCII)
# What keeps a spreadsheet from running a text, as our own exports write it.
GUARDED = tuple(f"'{start}" for start in FORMULA_STARTS)


class FieldTexts:
    """Gives the texts of a field, stripped; those that mean nothing are empty."""

    def __init__(self, columns: Columns, options: ReadingOptions) -> None:
        self._columns = columns
        self._is_lenient = options.is_lenient
        self._given = _spelled(options.nulls)
        self._usual = self._given
        if options.is_lenient:
            self._usual = self._given | _spelled(USUAL_NULLS)

    def of(self, rows: Sequence[Row], name: str) -> list[str]:
        column = self._columns[name]
        if isinstance(column, int):
            texts = [row[column].strip() for row in rows]
        else:
            texts = [" ".join([row[part].strip() for part in column]) for row in rows]
            texts = [text.strip() for text in texts]
        if self._is_lenient and name not in WITH_USUAL_NULLS:
            texts = _unguarded(texts)
        is_usual = name in WITH_USUAL_NULLS or name == ID
        nulls = self._usual if is_usual else self._given
        if not nulls or nulls.isdisjoint(texts):
            return texts
        return ["" if text in nulls else text for text in texts]


def whole_ids(texts: list[str]) -> list[str]:
    """Write ids that are whole numbers as such: 2.024e+10 is 20240000000."""
    joined = "".join(texts)
    if ".0" not in joined and "+" not in joined:
        return texts
    return [_whole(text) if FLOAT_ID.fullmatch(text) else text for text in texts]


def _unguarded(texts: list[str]) -> list[str]:
    if "'" not in "".join(texts):
        return texts
    return [text[1:] if text.startswith(GUARDED) else text for text in texts]


def _whole(text: str) -> str:
    if text.endswith(".0"):
        return text.partition(".")[0]
    number = float(text)
    is_exact = number.is_integer() and abs(number) < 1 << 53
    return str(int(number)) if is_exact else text


def _spelled(marks: Sequence[str]) -> frozenset[str]:
    """Write marks in the cases they come in; numbers also as -999.0."""
    spelled = {form(mark) for mark in marks for form in (str, str.lower, str.upper)}
    spelled |= {mark.capitalize() for mark in marks}
    whole = [mark for mark in marks if mark.lstrip("+-").isdecimal()]
    spelled |= {f"{mark}.{zeros}" for mark in whole for zeros in ("0", "00")}
    return frozenset(spelled)
