"""Rows of fields out of lines of CSV; a bad row never takes its neighbours along."""

import csv
import re
from collections.abc import Iterator

from analytics.errors import EventFileError
from analytics.ingest.line_source import MAX_LINE_BYTES, LineSource
from analytics.ingest.rows import BadRow, NumberedRow
from analytics.ingest.rules import Fault, RowCode, shown

DELIMITERS = ",;\t|"
MAX_FIELD_CHARS = 1 << 16
MAX_VALUE_CHARS = 200
SURROGATE = re.compile("[\udc80-\udcff]")


class RowSource:
    """Iterates over (number of the row's first line, its fields or what is wrong)."""

    def __init__(self, lines: LineSource, *, file: str) -> None:
        self.char_count = 0
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

    @property
    def number(self) -> int:
        return self._lines.number

    def __iter__(self) -> Iterator[NumberedRow]:
        for line in self._lines:
            if line.isspace():
                continue
            number = self._lines.number
            self.char_count += len(line)
            yield number, self._row(line)

    def _row(self, line: str) -> list[str] | BadRow:
        if len(line) > MAX_LINE_BYTES:
            return BadRow(TOO_LONG)
        # Almost every line of almost every file is plain: it is not looked at twice.
        if line.isascii() and '"' not in line and "\0" not in line:
            plain = line.rstrip("\r\n").split(self.delimiter)
            return plain if len(plain) == len(self.header) else self._bad_length(plain)
        fields = self._fields(line)
        if isinstance(fields, Fault):
            return BadRow(fields, value=line[:MAX_VALUE_CHARS])
        return self._damage(fields) or fields

    def _bad_length(self, fields: list[str]) -> BadRow:
        return BadRow(self._ragged(fields))

    def _damage(self, fields: list[str]) -> BadRow | None:
        content = "".join(fields)
        if "\0" in content:
            return self._bad_field(fields, "\0", NUL)
        if not content.isascii() and (match := SURROGATE.search(content)):
            return self._bad_field(fields, match[0], None)
        if len(fields) != len(self.header):
            return self._bad_length(fields)
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
        is_wrong = bool(taken) and len(fields) != len(self.header)
        if is_wrong:
            self._lines.put_back(taken)
            return self._ragged(fields)
        return fields

    def _ragged(self, fields: list[str]) -> Fault:
        return Fault(
            RowCode.RAGGED_ROW,
            f"the row has {len(fields)} fields, the header has {len(self.header)}."
            " Put fields that hold the separator between double quotes.",
        )

    def _bad_field(self, fields: list[str], mark: str, fault: Fault | None) -> BadRow:
        index = next(i for i, field in enumerate(fields) if mark in field)
        column = self.header[index] if index < len(self.header) else None
        raw = fields[index].encode("utf-8", "surrogateescape")
        latin = raw.decode("latin-1")
        return BadRow(fault or _not_utf8(mark, latin), column, latin[:MAX_VALUE_CHARS])


TOO_LONG = Fault(
    RowCode.FIELD_TOO_LONG,
    f"the row is longer than {MAX_LINE_BYTES:,} bytes.",
)
NUL = Fault(
    RowCode.NUL_BYTE,
    "the row holds a NUL byte, so the file was damaged or is not text.",
)


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
