"""The fields of a JSON object as the texts that a CSV file would have."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import orjson

from analytics.errors import ColumnMapError
from analytics.ingest.column_map import REQUIRED, ColumnMap
from analytics.ingest.rows import BadRow
from analytics.ingest.rules import NUL, Fault, RowCode

# Not a name that an object's field is likely to have.
WHOLE = "\0whole"
PEEKED_ROWS = 1_000
SHOWN_NAMES = 40
SURROGATE = re.compile("[\ud800-\udfff]")


def read_object(text: bytes) -> dict[str, Any] | Fault:
    try:
        known = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Fault(RowCode.BAD_JSON, f"the row is not JSON ({error}).")
    if not isinstance(known, dict):
        return Fault(RowCode.BAD_JSON, "the row is not a JSON object.")
    return known


class FieldReader:
    """Takes the mapped fields out of objects; `a.b` is the field b of the field a."""

    def __init__(self, column_map: ColumnMap) -> None:
        self._names = list(dict.fromkeys(column_map.columns.values()))
        self._is_named = "external_id" in column_map.columns
        self.header = self._names if self._is_named else [*self._names, WHOLE]
        self.identity = [len(self.header) - 1]

    def read(self, known: Mapping[str, Any]) -> list[str] | BadRow:
        fields = [text_of(find(known, name)) for name in self._names]
        content = "".join(fields)
        if "\0" in content or (not content.isascii() and SURROGATE.search(content)):
            return BadRow(NUL)
        if not self._is_named:
            fields.append(_written(known))
        return fields


def check_names(
    objects: Iterable[Mapping[str, Any]], column_map: ColumnMap, *, file: str
) -> None:
    """Refuse a map whose required fields none of the first objects has."""
    first = list(islice(objects, PEEKED_ROWS))
    columns = {name: column_map.columns[name] for name in REQUIRED}
    missing = [
        column
        for column in columns.values()
        if first and all(find(known, column) is None for known in first)
    ]
    if missing:
        found = dict.fromkeys(name for known in first for name in known)
        raise ColumnMapError(
            f"{file}: none of the first {len(first):,} rows has"
            f" {', '.join(missing)}. They have {', '.join(list(found)[:SHOWN_NAMES])}.",
            file=file,
            missing=missing,
            found=list(found)[:SHOWN_NAMES],
        )


def find(known: Mapping[str, Any], name: str) -> object:
    if name in known or "." not in name:
        return known.get(name)
    value: Any = known
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return _written(value)


def _written(value: object) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        # A number beyond 64 bits, or half a surrogate pair.
        return repr(value).replace("\0", "").encode("ascii", "replace").decode()
