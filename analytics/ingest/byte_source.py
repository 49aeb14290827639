"""Bytes of an event file, unpacked; what breaks gives up no byte before the break."""

import os
import sys
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, Self

from analytics.errors import EventFileError
from analytics.ingest.rules import Fault, RowCode
from analytics.ingest.unpacking import BrokenGzipError, gunzipped
from riskplatform.kernel.arrow import load_arrow

PIECE_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
STANDARD_INPUT = Path("-")
OTHER_FORMATS = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; save it as CSV",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"PAR1": "a Parquet file; import it with --format parquet",
    b"BZh": "packed with bzip2; unpack it first",
    b"\xfd7zXZ": "packed with xz; unpack it first",
}


class ByteSource:
    """Iterates over the unpacked content; `fault` is set when it broke off early.

    The path `-` is the standard input, whose size is not known.
    """

    def __init__(self, path: Path) -> None:
        self.fault: Fault | None = None
        self._unpacker: Any = None
        self._is_stream = path == STANDARD_INPUT
        self.name = "standard input" if self._is_stream else path.name
        self._file = _standard_input() if self._is_stream else _open_file(path)
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
        start = self._file.peek(8)
        for magic, meaning in OTHER_FORMATS.items():
            if start.startswith(magic):
                raise EventFileError(f"{self.name} is {meaning}.", file=self.name)
        if start.startswith(GZIP_MAGIC):
            yield from self._unpacked()
        elif start.startswith(ZSTD_MAGIC):
            yield from self._unpacked_zstd()
        else:
            yield from self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(PIECE_BYTES), b"")

    def _unpacked(self) -> Iterator[bytes]:
        try:
            yield from gunzipped(self._pieces())
        except BrokenGzipError as error:
            is_cut = error.is_cut
            self.fault = _truncation("gzip") if is_cut else _corruption("gzip", error)

    def _unpacked_zstd(self) -> Iterator[bytes]:
        arrow = load_arrow(purpose="A file packed with zstd")
        # Closing the stream closes the file below it.
        self._unpacker = arrow.CompressedInputStream(self._file, "zstd")
        try:
            while piece := self._unpacker.read(PIECE_BYTES):
                yield piece
        except OSError as error:
            is_cut = "Truncated" in str(error)
            self.fault = _truncation("zstd") if is_cut else _corruption("zstd", error)


def _truncation(packing: str) -> Fault:
    return Fault(
        RowCode.TRUNCATED_FILE,
        f"the {packing} file ends here, before its end mark, so later rows are"
        " missing. Fetch the file again and repeat the import.",
    )


def _corruption(packing: str, error: Exception) -> Fault:
    return Fault(
        RowCode.CORRUPT_FILE,
        f"the {packing} file is damaged from about here on ({error})."
        " Fetch the file again and repeat the import.",
    )


def check_file(path: Path) -> None:
    """Refuse what cannot be opened."""
    _open_file(path).close()


def _standard_input() -> BufferedReader:
    return os.fdopen(sys.stdin.fileno(), "rb", closefd=False)


def _open_file(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError:
        reason = "does not exist"
    except IsADirectoryError:
        reason = "is a folder, not a file"
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    raise EventFileError(f"{path} {reason}.", file=str(path))
