"""The beginning of a CSV file: what comes before the rows, and what separates them."""

import re
from itertools import islice

from analytics.errors import EventFileError
from analytics.ingest.csv_lines import MAX_LINE_BYTES, SURROGATE, LineSource
from analytics.ingest.reading_options import ReadingOptions

DELIMITERS = ",;\t|"
# What a spreadsheet writes to say what separates the fields.
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE | re.DOTALL)
MAX_HEADER_LINES = 20
LOOKED_AT_LINES = 5


class CsvHead:
    """Reads up to the first row.

    Attributes
    ----------
    text
        The header as it stands, with its line breaks; nothing where it was given.
    delimiter
        What separates the fields, and whether that was found by looking.
    """

    def __init__(
        self, lines: LineSource, options: ReadingOptions, *, file: str
    ) -> None:
        self._file = file
        for _ in islice(lines, options.skip_lines):
            pass
        first = _after_comments(lines, options.comment)
        given = options.delimiter
        if match := SEPARATOR_LINE.fullmatch(first):
            given = given or match[1]
            first = _after_comments(lines, options.comment)
        self._check(first)
        self.text = _whole_header(first, lines)
        self.is_found = given is None
        self.delimiter = given or _looked_at(self.text, lines)
        if options.columns:
            # There is no header: what was read is a row.
            lines.put_back(self.text.splitlines(keepends=True))
            self.text = ""

    def _check(self, first: str) -> None:
        file = self._file
        if not first.strip():
            raise EventFileError(f"{file} is empty: it has no header.", file=file)
        if SURROGATE.search(first) or "\0" in first or len(first) > MAX_LINE_BYTES:
            raise EventFileError(
                f"{file}, row 1: the header is not text in UTF-8."
                " Save the file as CSV in UTF-8.",
                file=file,
            )


def _after_comments(lines: LineSource, comment: str) -> str:
    for line in lines:
        if not comment or not line.startswith(comment):
            return line
    return ""


def _whole_header(first: str, lines: LineSource) -> str:
    """Take as many lines as the quotes of the header span."""
    if first.count('"') % 2 == 0:
        return first
    taken: list[str] = []
    for line in islice(lines, MAX_HEADER_LINES):
        taken.append(line)
        if line.count('"') % 2:
            return first + "".join(taken)
    # A stray quote.
    lines.put_back(taken)
    return first


def _looked_at(header: str, lines: LineSource) -> str:
    """Choose the separator by which the header has as many fields as the rows do."""
    following = list(islice(lines, LOOKED_AT_LINES))
    lines.put_back(following)
    counts = [_counts(line) for line in (header, *following) if line.strip()]
    head, *rows = counts

    def fit(delimiter: str) -> tuple[bool, int, int]:
        count = head[delimiter]
        return count > 0, sum(row[delimiter] == count for row in rows), count

    return max(DELIMITERS, key=fit)


def _counts(line: str) -> dict[str, int]:
    # Every other piece between quotes is outside of them.
    bare = "".join(line.split('"')[::2])
    return {delimiter: bare.count(delimiter) for delimiter in DELIMITERS}
