"""Rows of fields out of lines of CSV; a bad row never takes its neighbours along."""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from analytics.errors import EventFileError
from analytics.ingest.rows import MAX_VALUE_CHARS, BadRow, NumberedRow, RowReader
from analytics.ingest.rules import Fault, RowCode, shown

BOM = b"\xef\xbb\xbf"
DELIMITERS = ",;\t|"
MAX_LINE_BYTES = 1 << 20
MAX_FIELD_CHARS = 1 << 16
SURROGATE = re.compile("[\udc80-\udcff]")
TOO_LONG = Fault(
    RowCode.FIELD_TOO_LONG,
    f"the row is longer than {MAX_LINE_BYTES:,} bytes.",
)
NUL_BYTE = Fault(
    RowCode.NUL_BYTE,
    "the row holds a NUL byte, so the file was damaged or is not text.",
)


class LineSource:
    """Iterates over decoded lines with their ends, in memory of a few lines.

    Bytes that are not UTF-8 come as lone surrogates. A line beyond
    `MAX_LINE_BYTES` is cut, and is then longer than that. `number` is the
    number of the last line given, from 1 on.
    """

    def __init__(
        self, pieces: Iterable[bytes], *, is_whole: Callable[[], bool] = lambda: True
    ) -> None:
        self.number = 0
        self._lines = _split_lines(pieces, is_whole)
        self._put_back: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._put_back:
            line = self._put_back.popleft()
        else:
            line = next(self._lines).decode("utf-8", "surrogateescape")
        self.number += 1
        return line

    def put_back(self, lines: list[str]) -> None:
        """Give these last lines out again."""
        self._put_back.extendleft(reversed(lines))
        self.number -= len(lines)


class CsvRows(RowReader):
    """Reads rows by the header; a row has the number of its first line."""

    def __init__(self, lines: LineSource, *, file: str) -> None:
        super().__init__()
        self._lines = lines
        first = next(lines, "")
        if not first.strip():
            raise EventFileError(f"{file} is empty: it has no header.", file=file)
        if SURROGATE.search(first) or "\0" in first or len(first) > MAX_LINE_BYTES:
            raise EventFileError(
                f"{file}, row 1: the header is not text in UTF-8."
                " Save the file as CSV in UTF-8.",
                file=file,
            )
        self.delimiter = max(DELIMITERS, key=first.count)
        fields = self._fields(first)
        if isinstance(fields, Fault):
            raise EventFileError(f"{file}, row 1: {fields.reason}", file=file)
        self.header = [name.strip() for name in fields]
        # In whatever order its columns stand, a row says the same.
        indices = range(len(self.header))
        self.identity = sorted(indices, key=lambda index: (self.header[index], index))

    def __iter__(self) -> Iterator[NumberedRow]:
        for line in self._lines:
            self.number = number = self._lines.number
            if line.isspace():
                continue
            self.char_count += len(line)
            row = self._row(line)
            self.number = self._lines.number
            yield number, row

    def _row(self, line: str) -> list[str] | BadRow:
        if len(line) > MAX_LINE_BYTES:
            return BadRow(TOO_LONG)
        fields = self._fields(line)
        if isinstance(fields, Fault):
            return BadRow(fields, value=line[:MAX_VALUE_CHARS])
        # Almost every line of almost every file is plain: it is not looked at twice.
        is_plain = line.isascii() and '"' not in line and "\0" not in line
        bad = None if is_plain else self._damage(fields)
        if bad is None and len(fields) != len(self.header):
            bad = BadRow(self._ragged(fields))
        return bad or fields

    def _damage(self, fields: list[str]) -> BadRow | None:
        content = "".join(fields)
        if "\0" in content:
            return self._bad_field(fields, "\0")
        if not content.isascii() and (match := SURROGATE.search(content)):
            return self._bad_field(fields, match[0])
        return None

    def _fields(self, line: str) -> list[str] | Fault:
        if '"' not in line:
            return line.rstrip("\r\n").split(self.delimiter)
        taken: list[str] = []
        text = _followed(line, self._lines, taken)
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        try:
            fields = next(reader)
        except csv.Error as error:
            self._lines.put_back(taken)
            return _unsplittable(error)
        # A stray quote may have swallowed rows up to the next quote.
        if taken and len(fields) != len(self.header):
            self._lines.put_back(taken)
            return self._ragged(fields)
        return fields

    def _ragged(self, fields: list[str]) -> Fault:
        return Fault(
            RowCode.RAGGED_ROW,
            f"the row has {len(fields)} fields, the header has {len(self.header)}."
            " Put fields that hold the separator between double quotes.",
        )

    def _bad_field(self, fields: list[str], mark: str) -> BadRow:
        """Say which field holds a NUL or a byte that is not UTF-8."""
        index = next(i for i, field in enumerate(fields) if mark in field)
        column = self.header[index] if index < len(self.header) else None
        latin = fields[index].encode("utf-8", "surrogateescape").decode("latin-1")
        fault = NUL_BYTE if mark == "\0" else _not_utf8(mark, latin)
        return BadRow(fault, column, latin[:MAX_VALUE_CHARS])


def _unsplittable(error: csv.Error) -> Fault:
    if "field limit" in str(error):
        return Fault(RowCode.FIELD_TOO_LONG, f"a field is too long ({error}).")
    return Fault(
        RowCode.BAD_QUOTES,
        f"the double quotes do not match ({error}). Put a field that holds quotes"
        " between quotes, and double those within.",
    )


def _not_utf8(surrogate: str, latin: str) -> Fault:
    return Fault(
        RowCode.NOT_UTF8,
        f"the byte 0x{ord(surrogate) - 0xDC00:02X} is not UTF-8; read as Latin-1 the"
        f" field is {shown(latin)}. Convert the file: iconv -f latin1 -t utf-8.",
    )


def _followed(line: str, lines: LineSource, taken: list[str]) -> Iterator[str]:
    """Give a line and as many more as its quotes span, up to a limit."""
    yield line
    length = len(line)
    for following in lines:
        taken.append(following)
        length += len(following)
        if length > MAX_FIELD_CHARS:
            return
        yield following


def _split_lines(
    pieces: Iterable[bytes], is_whole: Callable[[], bool]
) -> Iterator[bytes]:
    tail, is_first = b"", True
    for piece in pieces:
        lines = (tail + piece).splitlines(keepends=True)
        # The last line may go on in the next piece, and so may its end \r\n.
        tail = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        if len(tail) > MAX_LINE_BYTES:
            tail = tail[: MAX_LINE_BYTES + 1]
        if is_first and lines:
            lines[0], is_first = lines[0].removeprefix(BOM), False
        yield from lines
    # Where a file broke off, its last line may look whole and be cut.
    if tail and is_whole():
        yield tail.removeprefix(BOM) if is_first else tail
