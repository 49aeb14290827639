"""Bytes of files and bodies unpacked in pieces, never more of them than is allowed."""

import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, Self

from analytics.errors import (
    EventFileError,
    MalformedEventsError,
    UnpackedTooLargeError,
    UnsupportedBodyError,
)
from analytics.ingest.archives import ZIP, kind_of, kind_of_archive
from analytics.ingest.rules import Fault, RowCode
from riskplatform.kernel.arrow import load_arrow
from riskplatform.kernel.errors import BodyTooLargeError

GZIP_WINDOW = zlib.MAX_WBITS | 16
MAX_UNPACKED_BYTES = 1 << 18
PIECE_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
STANDARD_INPUT = Path("-")
MAX_START_BYTES = 1_024


class ByteSource:
    """Iterates over the unpacked content of a file; what breaks gives what came before.

    `fault` is set when it broke off early. The path `-` is the standard input, whose
    size is not known.
    """

    def __init__(self, path: Path) -> None:
        self.fault: Fault | None = None
        self._unpacker: Any = None
        self._path = path
        self._is_stream = path == STANDARD_INPUT
        self.name = "standard input" if self._is_stream else path.name
        self._file = _standard_input() if self._is_stream else open_binary(path)
        self._size_bytes = 0 if self._is_stream else path.stat().st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def fraction(self) -> float | None:
        """How much of the file, as it lies on the disk, has been read."""
        if self._is_stream:
            return None
        return self._file.tell() / max(self._size_bytes, 1)

    def __iter__(self) -> Iterator[bytes]:
        start = self._file.peek(MAX_START_BYTES)[:MAX_START_BYTES]
        meaning = kind_of(start)
        if meaning is not None:
            if start.startswith(ZIP) and not self._is_stream:
                meaning = kind_of_archive(self._path)
            raise EventFileError(f"{self.name} is {meaning}.", file=self.name)
        if start.startswith(GZIP_MAGIC):
            yield from self._gunzipped()
        elif start.startswith(ZSTD_MAGIC):
            yield from self._unpacked_zstd()
        else:
            yield from self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(PIECE_BYTES), b"")

    def _gunzipped(self) -> Iterator[bytes]:
        try:
            yield from gunzipped(self._pieces())
        except BrokenGzipError as error:
            self.fault = _broken("gzip", error, is_cut=error.is_cut)

    def _unpacked_zstd(self) -> Iterator[bytes]:
        arrow = load_arrow(purpose="A file packed with zstd")
        # Closing the stream closes the file below it.
        self._unpacker = arrow.CompressedInputStream(self._file, "zstd")
        try:
            while piece := self._unpacker.read(PIECE_BYTES):
                yield piece
        except OSError as error:
            self.fault = _broken("zstd", error, is_cut="Truncated" in str(error))


def open_binary(path: Path) -> BufferedReader:
    """Open a file, or say why it cannot be."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        reason = "does not exist"
    except IsADirectoryError:
        reason = "is a folder, not a file"
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    raise EventFileError(f"{path} {reason}.", file=str(path))


def _standard_input() -> BufferedReader:
    return os.fdopen(sys.stdin.fileno(), "rb", closefd=False)


def _broken(packing: str, error: Exception, *, is_cut: bool) -> Fault:
    if is_cut:
        return Fault(
            RowCode.TRUNCATED_FILE,
            f"the {packing} file ends here, before its end mark, so later rows are"
            " missing. Fetch the file again and repeat the import.",
        )
    return Fault(
        RowCode.CORRUPT_FILE,
        f"the {packing} file is damaged from about here on ({error})."
        " Fetch the file again and repeat the import.",
    )


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
                yield inflater.decompress(packed, MAX_UNPACKED_BYTES)
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


def _salvage(inflater: "zlib._Decompress", packed: bytes) -> bytes:
    """Unpack byte by byte up to the damage."""
    content = bytearray()
    for index in range(len(packed)):
        try:
            content += inflater.decompress(packed[index : index + 1])
        except zlib.error:
            break
    return bytes(content)


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
