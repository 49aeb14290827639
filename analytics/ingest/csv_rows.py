"""Rows of fields out of lines of CSV; a bad row never takes its neighbours along."""

import csv
from collections.abc import Iterator

from analytics.errors import EventFileError
from analytics.ingest.column_map import plain_name
from analytics.ingest.csv_header import CsvHead
from analytics.ingest.csv_lines import MAX_LINE_BYTES, SURROGATE, LineSource
from analytics.ingest.reading_options import AS_A_POST, ReadingOptions
from analytics.ingest.rows import MAX_VALUE_CHARS, BadRow, NumberedRow, RowReader
from analytics.ingest.rules import Fault, RowCode, shown

MAX_FIELD_CHARS = 1 << 16
TOO_LONG = Fault(
    RowCode.FIELD_TOO_LONG,
    f"the row is longer than {MAX_LINE_BYTES:,} bytes.",
)
NUL_BYTE = Fault(
    RowCode.NUL_BYTE,
    "the row holds a NUL byte, so the file was damaged or is not text.",
)


class CsvRows(RowReader):
    """Reads rows by the header; a row has the number of its first line."""

    def __init__(
        self, lines: LineSource, *, file: str, options: ReadingOptions = AS_A_POST
    ) -> None:
        super().__init__()
        self._lines = lines
        self._comment = options.comment
        head = CsvHead(lines, options, file=file)
        self.delimiter = head.delimiter
        self.header = []
        fields: list[str] | Fault = list(options.columns) or self._fields(head.text)
        if isinstance(fields, Fault):
            raise EventFileError(f"{file}, row 1: {fields.reason}", file=file)
        self.header = [plain_name(name) for name in fields]
        if head.is_found and len(self.header) > 1:
            self.found["delimiter"] = head.delimiter
        # In whatever order its columns stand, a row says the same.
        indices = range(len(self.header))
        self.identity = sorted(indices, key=lambda index: (self.header[index], index))

    def __iter__(self) -> Iterator[NumberedRow]:
        comment = self._comment
        for line in self._lines:
            self.number = number = self._lines.number
            if line.isspace() or (comment and line.startswith(comment)):
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
            return self._evened(fields) or BadRow(self._ragged(fields))
        return bad or fields

    def _evened(self, fields: list[str]) -> list[str] | None:
        """Make a row as long as the header where only empty columns are too many."""
        width = len(self.header)
        more = fields[width:] or self.header[len(fields) :]
        if any(text.strip() for text in more):
            return None
        return fields[:width] + [""] * (width - len(fields))

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
        if taken and len(fields) != len(self.header) and not self._evened(fields):
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
