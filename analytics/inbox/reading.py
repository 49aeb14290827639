"""Rows out of a body, in blocks: JSON array, NDJSON or CSV."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec

from analytics.errors import (
    MalformedEventsError,
    NestedTooDeepError,
    RowTooLongError,
    UnsupportedBodyError,
)
from analytics.inbox.event_input import EventInput, ReadRow, UnreadRow, read_event
from analytics.ingest.column_map import ATTRIBUTE
from analytics.ingest.csv_lines import LineSource
from analytics.ingest.csv_rows import CsvRows
from analytics.ingest.json_rows import read_object
from analytics.ingest.rows import BadRow
from analytics.ingest.rules import Fault
from riskplatform.kernel.errors import BodyTooLargeError

MAX_ARRAY_BYTES = 1 << 24
MAX_LINE_BYTES = 1 << 20
BLOCK_BYTES = 1 << 20
BLOCK_ROWS = 10_000
CSV_BLOCK_CHARS = 1 << 22
PART_BYTES = 1 << 20
# Where one event ends and the next begins, unless it stands in a text.
BETWEEN_EVENTS = b"},{"
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
FIELDS = tuple(name for name in EventInput.__struct_fields__ if name != "attributes")

Block = list[ReadRow]
Reader = Callable[[Iterable[bytes]], Iterator[Block]]

NOT_DECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_syntax = msgspec.json.Decoder(msgspec.Raw)
_one = msgspec.json.Decoder(EventInput)
_many = msgspec.json.Decoder(list[EventInput])
_raw = msgspec.json.Decoder(list[msgspec.Raw])


def reader_of(content_type: str) -> Reader:
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        return READERS[media_type]
    except KeyError:
        raise UnsupportedBodyError(
            f"The Content-Type {media_type[:60]!r} is not taken."
            f" Use one of: {', '.join(READERS)}."
        ) from None


def read_array(pieces: Iterable[bytes]) -> Iterator[Block]:
    """Read a JSON array, whose bytes have to be in memory as a whole."""
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > MAX_ARRAY_BYTES:
            raise BodyTooLargeError(
                f"A JSON array may have {MAX_ARRAY_BYTES:,} bytes."
                " Send more than that as NDJSON, one event a line.",
                max_bytes=MAX_ARRAY_BYTES,
            )
    for part in parts_of_array(bytes(body)):
        yield from _blocks(_decode_array(part))


def read_lines(pieces: Iterable[bytes]) -> Iterator[Block]:
    """Read NDJSON, in memory of a block; a bad line takes no other along."""
    tail = bytearray()
    for piece in pieces:
        tail += piece
        if len(tail) < BLOCK_BYTES:
            continue
        end = tail.rfind(b"\n") + 1
        yield from _blocks(_decode_lines(bytes(tail[:end])))
        del tail[:end]
        if len(tail) > MAX_LINE_BYTES:
            raise RowTooLongError(
                f"A line of the body has more than {MAX_LINE_BYTES:,} bytes.",
                max_bytes=MAX_LINE_BYTES,
            )
    yield from _blocks(_decode_lines(bytes(tail)))


def read_csv(pieces: Iterable[bytes]) -> Iterator[Block]:
    """Read CSV in memory of a block; `attributes.NAME` columns become attributes."""
    rows = CsvRows(LineSource(pieces), file="The body")
    _check_header(rows.header)
    block: Block = []
    chars_before = rows.char_count
    for _, row in rows:
        block.append(_decode_csv(rows.header, row))
        if len(block) >= BLOCK_ROWS or rows.char_count - chars_before > CSV_BLOCK_CHARS:
            yield block
            block, chars_before = [], rows.char_count
    if block:
        yield block


READERS: dict[str, Reader] = {
    "application/json": read_array,
    "application/x-ndjson": read_lines,
    "application/ndjson": read_lines,
    "text/csv": read_csv,
}


def parts_of_array(body: bytes) -> Iterator[bytes]:
    """Give arrays of some members each, in order: objects take many times their bytes.

    All of the body is known to be JSON by then.

    Raises
    ------
    MalformedEventsError
        It is not JSON, or not an array.
    NestedTooDeepError
    """
    content = _checked(body)
    start, end = 1, len(content) - 1
    while start < end:
        cut = _quick_cut(content, start, end) or _exact_cut(content, start, end)
        yield b"[" + content[start:cut] + b"]"
        start = cut + 1


def _checked(body: bytes) -> bytes:
    """Look at the syntax of all of it before anything is accepted."""
    try:
        # Texts are not validated yet.
        body.isascii() or body.decode()
        content = bytes(_syntax.decode(body)).strip()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedEventsError(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise NestedTooDeepError(
            "The body is nested too deep. An event is a flat object."
        ) from None
    if not content.startswith(b"["):
        raise MalformedEventsError("The body is not an array of events.")
    return content


def _quick_cut(content: bytes, start: int, end: int) -> int | None:
    """Find a comma behind about a part; None where none is easily found."""
    if end - start <= PART_BYTES:
        return end
    found = content.rfind(BETWEEN_EVENTS, start, start + PART_BYTES)
    if found < 0:
        return None
    try:
        # In the middle of a text or of another array it would not be JSON.
        _raw.decode(b"[" + content[start : found + 1] + b"]")
    except NOT_DECODED:
        return None
    return found + 1


def _exact_cut(content: bytes, start: int, end: int) -> int:
    """Find the first comma between members behind a part, token by token."""
    depth = 0
    for token in TOKEN.finditer(content, start, end):
        kind = content[token.start() : token.start() + 1]
        if kind in {b"[", b"{"}:
            depth += 1
        elif kind in {b"]", b"}"}:
            depth -= 1
        elif kind == b"," and not depth and token.start() - start >= PART_BYTES:
            return token.start()
    return end


def _decode_array(part: bytes) -> Iterable[ReadRow]:
    try:
        return _many.decode(part)
    except NOT_DECODED:
        # Not all are events: each is read for itself.
        return (_decode_row(bytes(row)) for row in _raw.decode(part))


def _decode_lines(content: bytes) -> Iterable[ReadRow]:
    try:
        return _one.decode_lines(content)
    except NOT_DECODED:
        lines = content.split(b"\n")
        return (_decode_row(line) for line in lines if line.strip())


def _decode_row(row: bytes) -> ReadRow:
    try:
        return _one.decode(row)
    except NOT_DECODED:
        known = read_object(row)
        return UnreadRow(known) if isinstance(known, Fault) else read_event(known)


def _check_header(header: Iterable[str]) -> None:
    names = list(header)
    unknown = [
        name for name in names if name not in FIELDS and not name.startswith(ATTRIBUTE)
    ]
    if unknown or len(set(names)) != len(names):
        raise MalformedEventsError(
            f"The header must name each column once, out of {', '.join(FIELDS)} and"
            f" {ATTRIBUTE}NAME.",
            unknown=unknown[:20],
        )


def _decode_csv(header: Iterable[str], row: list[str] | BadRow) -> ReadRow:
    if isinstance(row, BadRow):
        return UnreadRow(row.fault)
    given: dict[str, object] = {}
    attributes: dict[str, str] = {}
    for name, field in zip(header, row, strict=True):
        if not name.startswith(ATTRIBUTE):
            given[name] = field
        elif field:
            attributes[name.removeprefix(ATTRIBUTE)] = field
    return read_event({**given, "attributes": attributes})


def _blocks(rows: Iterable[ReadRow]) -> Iterator[Block]:
    left = iter(rows)
    while block := list(islice(left, BLOCK_ROWS)):
        yield block
