"""Rows out of JSON: objects as the texts that a CSV file would have.

NDJSON has an object a line, which may be a feature; a text of GeoJSON, of ArcGIS or an
array is read value by value, in memory of one.
"""

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

import orjson

from analytics.errors import ColumnMapError, EventFileError
from analytics.ingest.column_map import REQUIRED, ColumnMap, parts_of
from analytics.ingest.csv_lines import MAX_LINE_BYTES, LineSource
from analytics.ingest.csv_rows import TOO_LONG
from analytics.ingest.features import FeatureReader, is_feature
from analytics.ingest.json_stream import Collected, JsonStream, read_records
from analytics.ingest.reading_options import AS_A_POST, ReadingOptions
from analytics.ingest.rows import MAX_VALUE_CHARS, BadRow, NumberedRow, RowReader
from analytics.ingest.rules import NUL, Fault, RowCode
from analytics.ingest.unpacking import ByteSource

# Not a name that an object's field is likely to have.
WHOLE = "\0whole"
# Members of a feature that need no `@` where no property is called so.
OUTSIDE = {"lat": "@lat", "lon": "@lon", "id": "@id"}
PEEKED_ROWS = 1_000
SHOWN_NAMES = 40
# More seconds than that are in the year 2286: such numbers are milliseconds.
LEAST_MS = 10_000_000_000
RECORD_SEPARATOR = "\x1e"
SURROGATE = re.compile("[\ud800-\udfff]")
NumberedObject = tuple[int, Mapping[str, Any] | BadRow]


class JsonRows(RowReader):
    """Reads the first objects at once: what fails there is no import at all."""

    nothing: str  # what a file without an object is said to be

    def __init__(
        self,
        content: ByteSource,
        column_map: ColumnMap,
        options: ReadingOptions = AS_A_POST,
    ) -> None:
        super().__init__()
        self._fields = FieldReader(column_map)
        self.header = self._fields.header
        self.identity = self._fields.identity
        self._features = FeatureReader(
            file=content.name,
            beside=(beside := Collected()),
            takes_centroids=options.point == "centroid",
        )
        self._beside = beside
        objects = self._read(content)
        first = list(islice(objects, PEEKED_ROWS))
        if not first:
            raise EventFileError(f"{content.name} {self.nothing}.", file=content.name)
        self._check_names(first, column_map, file=content.name)
        if self._has_milliseconds(first, column_map):
            self.found["time_format"] = "epoch_ms"
        self._objects = chain(first, objects)

    def __iter__(self) -> Iterator[NumberedRow]:
        for number, known in self._objects:
            self.number = number
            if isinstance(known, BadRow):
                yield number, known
            else:
                yield number, self._fields.read(known)

    @abstractmethod
    def _read(self, content: ByteSource) -> Iterator[NumberedObject]: ...

    def _check_names(
        self, first: list[NumberedObject], column_map: ColumnMap, *, file: str
    ) -> None:
        """Refuse a map whose required fields none of the first objects has."""
        good = [known for _, known in first if not isinstance(known, BadRow)]
        mapped = [column_map.columns[name] for name in REQUIRED] if good else []
        columns = [part for column in mapped for part in parts_of(column)]
        missing = [
            column
            for column in columns
            if all(_find(known, column) is None for known in good)
        ]
        if missing:
            found = list(dict.fromkeys(name for known in good for name in known))
            raise ColumnMapError(
                f"{file}: none of the first {len(good):,} rows has"
                f" {', '.join(missing)}. They have {', '.join(found[:SHOWN_NAMES])}.",
                file=file,
                missing=missing,
                found=_with_nested(found, good)[:SHOWN_NAMES],
            )

    def _has_milliseconds(
        self, first: list[NumberedObject], column_map: ColumnMap
    ) -> bool:
        """Say whether the times are numbers that can only be milliseconds."""
        column = column_map.columns["occurred_at"]
        values = [
            _find(known, column) for _, known in first if not isinstance(known, BadRow)
        ]
        times = [value for value in values if value is not None]
        are_whole = all(type(value) is int for value in times)
        return are_whole and any(abs(value) >= LEAST_MS for value in times)


class NdjsonRows(JsonRows):
    nothing = "is empty"

    def _read(self, content: ByteSource) -> Iterator[NumberedObject]:
        lines = LineSource(content, is_whole=lambda: content.fault is None)
        for line in lines:
            if not line.isspace():
                self.char_count += len(line)
                known = _read_line(line.lstrip(RECORD_SEPARATOR))
                if isinstance(known, Mapping) and is_feature(known):
                    known = self._features.read(known)
                yield lines.number, known


class GeoJsonRows(JsonRows):
    """A row is a feature; `fault` says where the text is no JSON any more."""

    nothing = "has no features"

    def __iter__(self) -> Iterator[NumberedRow]:
        try:
            yield from super().__iter__()
        except EventFileError as error:
            self.fault = Fault(
                RowCode.CORRUPT_FILE,
                f"{error.message} Fetch the file again and repeat the import.",
            )

    def _read(self, content: ByteSource) -> Iterator[NumberedObject]:
        stream = JsonStream(content)
        records = read_records(stream, self._beside)
        for number, record in enumerate(records, start=1):
            self.char_count = stream.char_count
            yield number, self._features.read(record)


def _with_nested(names: list[str], rows: list[Mapping[str, Any]]) -> list[str]:
    """Give `a.b` for what is an object with the field b."""
    nested = {
        name: list(dict.fromkeys(key for it in rows for key in _keys(it.get(name))))
        for name in names
    }
    return [
        whole
        for name in names
        for whole in ([f"{name}.{key}" for key in nested[name]] or [name])
    ]


def _keys(value: object) -> list[str]:
    return list(value) if isinstance(value, dict) else []


class FieldReader:
    """Takes the mapped fields out of objects; `a.b` is the field b of the field a."""

    def __init__(self, column_map: ColumnMap) -> None:
        columns = column_map.columns.values()
        parts = [part for column in columns for part in parts_of(column)]
        self._names = list(dict.fromkeys(parts))
        self._is_named = "external_id" in column_map.columns
        # A row of a file without ids is named by all that it says.
        self.header = self._names if self._is_named else [*self._names, WHOLE]
        whole = range(len(self._names)) if self._is_named else [len(self._names)]
        self.identity = sorted(whole, key=lambda index: self.header[index])

    def read(self, known: Mapping[str, Any]) -> list[str] | BadRow:
        fields = [_text_of(_find(known, name)) for name in self._names]
        content = "".join(fields)
        if "\0" in content or (not content.isascii() and SURROGATE.search(content)):
            return BadRow(NUL)
        if not self._is_named:
            fields.append(_written(known))
        return fields


def _read_line(line: str) -> Mapping[str, Any] | BadRow:
    if len(line) > MAX_LINE_BYTES:
        return BadRow(TOO_LONG)
    known = read_object(line.encode("utf-8", "surrogateescape"))
    if isinstance(known, Fault):
        value = line.encode("utf-8", "replace").decode()[:MAX_VALUE_CHARS]
        return BadRow(known, value=value)
    return known


def read_object(text: bytes) -> dict[str, Any] | Fault:
    try:
        known = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Fault(RowCode.BAD_JSON, f"the row is not JSON ({error}).")
    if not isinstance(known, dict):
        return Fault(RowCode.BAD_JSON, "the row is not a JSON object.")
    return known


def _find(known: Mapping[str, Any], name: str) -> Any:
    if name in known:
        return known[name]
    if name in OUTSIDE:
        return known.get(OUTSIDE[name])
    value: Any = known if "." in name else None
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _text_of(value: object) -> str:
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
