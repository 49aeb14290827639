"""Rows out of CSV whose columns are named like the fields of an event."""

from collections.abc import Iterable, Iterator

from analytics.errors import MalformedEventsError
from analytics.inbox.event_input import EventInput, ReadRow, UnreadRow, read_event
from analytics.ingest.column_map import ATTRIBUTE
from analytics.ingest.line_source import LineSource
from analytics.ingest.row_source import RowSource
from analytics.ingest.rows import BadRow

BLOCK_ROWS = 10_000
BLOCK_CHARS = 1 << 22
FIELDS = EventInput.__struct_fields__


def read_csv(pieces: Iterable[bytes]) -> Iterator[list[ReadRow]]:
    """Read CSV in memory of a block; `attributes.NAME` columns become attributes."""
    rows = RowSource(LineSource(pieces), file="The body")
    _check_header(rows.header)
    block: list[ReadRow] = []
    chars_before = rows.char_count
    for _, row in rows:
        block.append(_decode_row(rows.header, row))
        if len(block) >= BLOCK_ROWS or rows.char_count - chars_before > BLOCK_CHARS:
            yield block
            block, chars_before = [], rows.char_count
    if block:
        yield block


def _check_header(header: list[str]) -> None:
    unknown = [
        name
        for name in header
        if (name not in FIELDS or name == "attributes")
        and not name.startswith(ATTRIBUTE)
    ]
    if unknown or len(set(header)) != len(header):
        known = ", ".join(name for name in FIELDS if name != "attributes")
        raise MalformedEventsError(
            f"The header must name each column once, out of {known} and"
            f" {ATTRIBUTE}NAME.",
            unknown=unknown[:20],
        )


def _decode_row(header: list[str], row: list[str] | BadRow) -> ReadRow:
    if isinstance(row, BadRow):
        return UnreadRow(row.fault)
    given: dict[str, object] = {
        name: field
        for name, field in zip(header, row, strict=True)
        if not name.startswith(ATTRIBUTE)
    }
    given["attributes"] = {
        name.removeprefix(ATTRIBUTE): field
        for name, field in zip(header, row, strict=True)
        if field and name.startswith(ATTRIBUTE)
    }
    return read_event(given)
