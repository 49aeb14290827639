"""JSON read from front to back, in memory of one value, and the records in it."""

import codecs
import json
from collections.abc import Iterator
from typing import Any

from analytics.errors import EventFileError
from analytics.ingest.unpacking import ByteSource

MAX_FEATURE_CHARS = 1 << 22
# Blanks, and what RFC 8142 puts before each text of a sequence.
BETWEEN = " \t\r\n\x1e"


class JsonStream:
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
                if char not in BETWEEN:
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


class Collected(dict[str, Any]):
    """The members of an object that were read beside its features."""


def read_records(stream: JsonStream, beside: Collected) -> Iterator[Any]:
    """Give the objects of a text: of its arrays, of `features`, or one after another.

    `beside` gets the other members of the object that has the features, as they come.
    """
    count = 0
    while (char := stream.next_char()) or not count:
        if char == "[":
            for value in _read_members(stream):
                count += 1
                yield value
            if not count:
                raise stream.error("the array is empty")
            continue
        is_first = not count
        has_features = False
        for value in _read_object(stream, beside):
            has_features = True
            count += 1
            yield value
        if has_features or "features" in beside:
            return
        if is_first and not _is_record(stream, beside):
            raise stream.error("it has no features")
        count += 1
        yield dict(beside)
        beside.clear()


def _is_record(stream: JsonStream, beside: Collected) -> bool:
    """Say whether an object is itself a row: a feature, or one of several."""
    return "geometry" in beside or stream.next_char() == "{"


def _read_object(stream: JsonStream, beside: Collected) -> Iterator[Any]:
    """Give the members of the array `features`, wherever in the object it stands."""
    stream.take("{")
    while stream.next_char() == '"':
        name = stream.value()
        stream.take(":")
        if name == "features" and stream.next_char() == "[":
            beside["features"] = None
            yield from _read_members(stream)
        else:
            beside[name] = stream.value()
        if stream.take(",}") == "}":
            return
    stream.take("}")


def _read_members(stream: JsonStream) -> Iterator[Any]:
    separator = stream.take("[")
    if stream.next_char() == "]":
        separator = stream.take("]")
    while separator != "]":
        yield stream.value()
        separator = stream.take(",]")
