"""Rows out of a body, in blocks: JSON array, NDJSON or CSV."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec

from analytics.errors import RowTooLongError, UnsupportedBodyError
from analytics.inbox.array_reading import parts_of_array
from analytics.inbox.csv_reading import read_csv
from analytics.inbox.event_input import EventInput, ReadRow, UnreadRow, read_event
from analytics.ingest.json_fields import read_object
from analytics.ingest.rules import Fault
from riskplatform.kernel.errors import BodyTooLargeError

MAX_ARRAY_BYTES = 1 << 24
MAX_LINE_BYTES = 1 << 20
BLOCK_BYTES = 1 << 20
BLOCK_ROWS = 10_000

Block = list[ReadRow]
Reader = Callable[[Iterable[bytes]], Iterator[Block]]

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


READERS: dict[str, Reader] = {
    "application/json": read_array,
    "application/x-ndjson": read_lines,
    "application/ndjson": read_lines,
    "text/csv": read_csv,
}


def _decode_array(part: bytes) -> Iterable[ReadRow]:
    try:
        return _many.decode(part)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Not all are events: each is read for itself.
        return (_decode_row(bytes(row)) for row in _raw.decode(part))


def _decode_row(row: bytes) -> ReadRow:
    try:
        return _one.decode(row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        known = read_object(row)
        return UnreadRow(known) if isinstance(known, Fault) else read_event(known)


def _decode_lines(content: bytes) -> Iterable[ReadRow]:
    try:
        return _one.decode_lines(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        lines = content.split(b"\n")
        return (_decode_row(line) for line in lines if line.strip())


def _blocks(rows: Iterable[ReadRow]) -> Iterator[Block]:
    left = iter(rows)
    while block := list(islice(left, BLOCK_ROWS)):
        yield block
