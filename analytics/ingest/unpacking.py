"""Bytes of files and bodies unpacked in pieces, never more of them than is allowed."""

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


class BrokenGzipError(Exception):
    """The bytes are damaged or, where `is_cut`, end too early."""

    def __init__(self, reason: str, *, is_cut: bool = False) -> None:
        super().__init__(reason)
        self.is_cut = is_cut


def gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack one or more gzip members, a bounded piece at a time.

    What breaks gives up no byte before the break; then it raises BrokenGzipError.
    """
    inflater, is_inside = zlib.decompressobj(GZIP_WINDOW), False
    for piece in pieces:
        packed = piece
        # Zeros may pad the space between the members of a gzip file.
        while (is_inside and packed) or (packed := packed.lstrip(b"\0")):
            is_inside = True
            before = inflater.copy()
            try:
                yield inflater.decompress(packed, MAX_PIECE_BYTES)
            except zlib.error as error:
                yield _salvage(before, packed)
                raise BrokenGzipError(str(error)) from error
            packed = inflater.unconsumed_tail
            if inflater.eof:
                packed = inflater.unused_data
                inflater, is_inside = zlib.decompressobj(GZIP_WINDOW), False
    if is_inside:
        yield inflater.flush()
        raise BrokenGzipError("it ends before its end mark", is_cut=True)


def limited(
    pieces: Iterable[bytes],
    *,
    max_bytes: int,
    error: type[BodyTooLargeError] = BodyTooLargeError,
    what: str = "has",
) -> Iterator[bytes]:
    """Pass pieces of a body on until there are too many bytes."""
    left = max_bytes
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise error(
                f"The body {what} more than {max_bytes:,} bytes. Send it in parts.",
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
    return limited(
        _gunzipped_body(pieces),
        max_bytes=max_bytes,
        error=UnpackedTooLargeError,
        what="unpacks to",
    )


def _gunzipped_body(pieces: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from gunzipped(pieces)
    except BrokenGzipError as error:
        raise MalformedEventsError(
            "The gzip body broke off before its end."
            if error.is_cut
            else f"The body is not gzip: {error}."
        ) from None


def _salvage(inflater: "zlib._Decompress", packed: bytes) -> bytes:
    """Unpack byte by byte up to the damage."""
    content = bytearray()
    for index in range(len(packed)):
        try:
            content += inflater.decompress(packed[index : index + 1])
        except zlib.error:
            break
    return bytes(content)
