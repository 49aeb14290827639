"""Bytes of a body in pieces, unpacked, and never more of them than is allowed."""

import zlib
from collections.abc import Iterable, Iterator

from analytics.errors import (
    MalformedEventsError,
    UnpackedTooLargeError,
    UnsupportedBodyError,
)
from riskplatform.kernel.errors import BodyTooLargeError

GZIP_WINDOW = zlib.MAX_WBITS | 16
MAX_PIECE_BYTES = 1 << 18


def limited(pieces: Iterable[bytes], *, max_bytes: int) -> Iterator[bytes]:
    """Pass pieces on until there are too many bytes."""
    left = max_bytes
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise BodyTooLargeError(
                f"The body has more than {max_bytes:,} bytes. Send it in parts.",
                max_bytes=max_bytes,
            )
        yield piece


def unpacked(
    pieces: Iterable[bytes], *, encoding: str, max_bytes: int
) -> Iterator[bytes]:
    """Undo a Content-Encoding; a small body cannot unpack to a huge one."""
    if encoding in {"", "identity"}:
        return iter(pieces)
    if encoding not in {"gzip", "x-gzip"}:
        raise UnsupportedBodyError(
            f"The Content-Encoding {encoding[:40]!r} is not taken. Use gzip or none."
        )
    return _within(_gunzipped(pieces), max_bytes)


def _within(pieces: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    left = max_bytes
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise UnpackedTooLargeError(
                f"The body unpacks to more than {max_bytes:,} bytes. Send it in parts.",
                max_bytes=max_bytes,
            )
        yield piece


def _gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack one or more gzip members, a bounded piece at a time."""
    unpacker = zlib.decompressobj(GZIP_WINDOW)
    try:
        for piece in pieces:
            waiting = piece
            while waiting:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(GZIP_WINDOW)
                yield unpacker.decompress(waiting, MAX_PIECE_BYTES)
                waiting = unpacker.unconsumed_tail or unpacker.unused_data
    except zlib.error as error:
        raise MalformedEventsError(f"The body is not gzip: {error}.") from None
    if not unpacker.eof:
        raise MalformedEventsError("The gzip body broke off before its end.")
