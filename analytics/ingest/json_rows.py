"""Rows out of JSON: objects as the texts that a CSV file would have.

NDJSON has an object a line; GeoJSON has points in a FeatureCollection, whose features
are read one after the other, in memory of one.
"""

import codecs
import json
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

import orjson

from analytics.errors import ColumnMapError, EventFileError
from analytics.ingest.column_map import REQUIRED, ColumnMap
from analytics.ingest.csv_rows import MAX_LINE_BYTES, TOO_LONG, LineSource
from analytics.ingest.rows import MAX_VALUE_CHARS, BadRow, NumberedRow, RowReader
from analytics.ingest.rules import NOT_A_POINT, NUL, Fault, RowCode
from analytics.ingest.unpacking import ByteSource

# Not a name that an object's field is likely to have.
WHOLE = "\0whole"
# What a feature says outside its properties; `@` keeps it apart from these.
POINT_COLUMNS = {"lat": "@lat", "lon": "@lon"}
PEEKED_ROWS = 1_000
SHOWN_NAMES = 40
MAX_FEATURE_CHARS = 1 << 22
SURROGATE = re.compile("[\ud800-\udfff]")
NumberedObject = tuple[int, Mapping[str, Any] | BadRow]


class JsonRows(RowReader):
    """Reads the first objects at once: what fails there is no import at all."""

    nothing: str  # what a file without an object is said to be

    def __init__(self, content: ByteSource, column_map: ColumnMap) -> None:
        super().__init__()
        self._fields = FieldReader(column_map)
        self.header = self._fields.header
        self.identity = [len(self.header) - 1]
        objects = self._read(content)
        first = list(islice(objects, PEEKED_ROWS))
        if not first:
            raise EventFileError(f"{content.name} {self.nothing}.", file=content.name)
        self._check_names(first, column_map, file=content.name)
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
        columns = [column_map.columns[name] for name in REQUIRED] if good else []
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
                found=found[:SHOWN_NAMES],
            )


class NdjsonRows(JsonRows):
    nothing = "is empty"

    def _read(self, content: ByteSource) -> Iterator[NumberedObject]:
        lines = LineSource(content, is_whole=lambda: content.fault is None)
        for line in lines:
            if not line.isspace():
                self.char_count += len(line)
                yield lines.number, _read_line(line)


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
        stream = _JsonStream(content)
        for number, feature in enumerate(_read_features(stream), start=1):
            self.char_count = stream.char_count
            yield number, _read_feature(feature)


class FieldReader:
    """Takes the mapped fields out of objects; `a.b` is the field b of the field a."""

    def __init__(self, column_map: ColumnMap) -> None:
        self._names = list(dict.fromkeys(column_map.columns.values()))
        self._is_named = "external_id" in column_map.columns
        # Only a row without an id is named by all that it says.
        self.header = self._names if self._is_named else [*self._names, WHOLE]

    def read(self, known: Mapping[str, Any]) -> list[str] | BadRow:
        fields = [_text_of(_find(known, name)) for name in self._names]
        content = "".join(fields)
        if "\0" in content or (not content.isascii() and SURROGATE.search(content)):
            return BadRow(NUL)
        if not self._is_named:
            fields.append(_written(known))
        return fields


class _JsonStream:
    """Reads a text from front to back; each value is decoded when it is all there."""

    def __init__(self, content: ByteSource) -> None:
        self.char_count = 0
        self._pieces = iter(content)
        self._decode_bytes = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._decode = json.JSONDecoder().raw_decode
        self._file = content.name
        self._text = ""
        self._start = 0
        self._is_ended = False

    def next_char(self) -> str:
        """Show the next character that is no space, or nothing at the end."""
        while True:
            while self._start < len(self._text):
                char = self._text[self._start]
                if char not in " \t\r\n":
                    return char
                self._start += 1
            if not self._read_on():
                return ""

    def take(self, expected: str) -> str:
        """Pass over one of these characters, and return it."""
        char = self.next_char()
        if not char or char not in expected:
            raise self.error(f"{char!r} stands where one of {expected} should")
        self._start += 1
        return char

    def value(self) -> Any:
        self.next_char()
        while True:
            try:
                found, end = self._decode(self._text, self._start)
            except json.JSONDecodeError as error:
                is_long = len(self._text) - self._start > MAX_FEATURE_CHARS
                if is_long or not self._read_on():
                    raise self.error(error.msg) from None
                continue
            except RecursionError:
                raise self.error("it is nested too deep") from None
            # A number that touches the end may go on behind it.
            if end < len(self._text) or not self._read_on():
                self._start = end
                return found

    def error(self, reason: str) -> EventFileError:
        return EventFileError(
            f"{self._file} is not readable as GeoJSON: {reason}, about"
            f" {self.char_count - len(self._text) + self._start:,} characters in."
            " It should be a FeatureCollection of points.",
            file=self._file,
        )

    def _read_on(self) -> bool:
        if self._is_ended:
            return False
        piece = next(self._pieces, None)
        self._is_ended = piece is None
        try:
            text = self._decode_bytes(piece or b"", self._is_ended)
        except UnicodeDecodeError as error:
            raise self.error(f"it is not UTF-8 ({error.reason})") from None
        self._text = self._text[self._start :] + text
        self._start = 0
        self.char_count += len(text)
        return not self._is_ended or bool(text)


def _read_features(stream: _JsonStream) -> Iterator[Any]:
    """Give the members of the array `features`, wherever in the object it stands."""
    stream.take("{")
    has_features = False
    while stream.next_char() == '"':
        name = stream.value()
        stream.take(":")
        if name == "features":
            has_features = True
            yield from _read_members(stream)
        else:
            stream.value()
        if stream.take(",}") == "}":
            break
    if not has_features:
        raise stream.error("it has no features")


def _read_members(stream: _JsonStream) -> Iterator[Any]:
    separator = stream.take("[")
    if stream.next_char() == "]":
        separator = stream.take("]")
    while separator != "]":
        yield stream.value()
        separator = stream.take(",]")


def _read_feature(feature: object) -> dict[str, Any] | BadRow:
    """Put what a feature says into one object."""
    if not isinstance(feature, dict):
        return BadRow(NOT_A_POINT)
    geometry, properties = feature.get("geometry"), feature.get("properties")
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return BadRow(NOT_A_POINT)
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return BadRow(NOT_A_POINT)
    record = dict(properties) if isinstance(properties, dict) else {}
    lon, lat, *_ = coordinates
    return record | {"@lon": lon, "@lat": lat, "@id": feature.get("id")}


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


def _find(known: Mapping[str, Any], name: str) -> object:
    if name in known or "." not in name:
        return known.get(name)
    value: Any = known
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
