"""The features of a GeoJSON text, one after the other, in memory of one feature."""

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

from analytics.errors import EventFileError

MAX_VALUE_CHARS = 1 << 22
SPACE = " \t\r\n"
END = ""


class JsonStream:
    """Reads a text from front to back; each value is decoded when it is all there."""

    def __init__(self, pieces: Iterable[bytes], *, file: str) -> None:
        self.char_count = 0
        self._pieces = iter(pieces)
        self._decode_bytes = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._decode = json.JSONDecoder().raw_decode
        self._file = file
        self._text = ""
        self._place = 0
        self._is_ended = False

    def next_char(self) -> str:
        """Show the next character that is no space, or nothing at the end."""
        while True:
            while self._place < len(self._text):
                char = self._text[self._place]
                if char not in SPACE:
                    return char
                self._place += 1
            if not self._read_on():
                return END

    def take(self, expected: str) -> str:
        """Pass over one of these characters, and return it."""
        char = self.next_char()
        if char == END or char not in expected:
            raise self.error(f"{char!r} stands where one of {expected} should")
        self._place += 1
        return char

    def value(self) -> Any:
        self.next_char()
        while True:
            try:
                found, end = self._decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if not self._has_more():
                    raise self.error(error.msg) from None
                continue
            except RecursionError:
                raise self.error("it is nested too deep") from None
            # A number that touches the end may go on behind it.
            if end < len(self._text) or not self._read_on():
                self._place = end
                return found

    def error(self, reason: str) -> EventFileError:
        return EventFileError(
            f"{self._file} is not readable as GeoJSON: {reason}, about"
            f" {self.char_count - len(self._text) + self._place:,} characters in."
            " It should be a FeatureCollection of points.",
            file=self._file,
        )

    def _has_more(self) -> bool:
        if len(self._text) - self._place > MAX_VALUE_CHARS:
            return False
        return self._read_on()

    def _read_on(self) -> bool:
        if self._is_ended:
            return False
        piece = next(self._pieces, None)
        self._is_ended = piece is None
        try:
            text = self._decode_bytes(piece or b"", self._is_ended)
        except UnicodeDecodeError as error:
            raise self.error(f"it is not UTF-8 ({error.reason})") from None
        self._text = self._text[self._place :] + text
        self._place = 0
        self.char_count += len(text)
        return not self._is_ended or bool(text)


def read_features(stream: JsonStream) -> Iterator[Any]:
    """Give the members of the array `features`, wherever in the object it stands."""
    stream.take("{")
    has_features = False
    while stream.next_char() == '"':
        name = stream.value()
        stream.take(":")
        if name == "features":
            has_features = True
            yield from _members(stream)
        else:
            stream.value()
        if stream.take(",}") == "}":
            break
    if not has_features:
        raise stream.error("it has no features")


def _members(stream: JsonStream) -> Iterator[Any]:
    stream.take("[")
    if stream.next_char() == "]":
        stream.take("]")
        return
    while True:
        yield stream.value()
        if stream.take(",]") == "]":
            return
