"""What a client is owed for its rows: a header first, then blocks with full types.

WITH TOTALS and extremes are rows beside the rows, which the Native format leaves out.
The engine's JSON has them, and the number of rows before LIMIT. A statement that asks
for them is answered in JSON, which the engine itself turns into blocks.
"""

import json
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from typing import Any, NamedTuple

from riskplatform.embedded.clickhouse.engine import ColumnHeader, Session, quoted
from riskplatform.embedded.clickhouse.errors import (
    NOT_IMPLEMENTED,
    SYNTAX_ERROR,
    QueryError,
    refusal,
)
from riskplatform.embedded.clickhouse.nativeblock import (
    block_of_buffers,
    is_known,
    split_blocks,
)
from riskplatform.embedded.clickhouse.protocol import ServerPacket
from riskplatform.embedded.clickhouse.statement import Statement, StatementKind

_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\b\d[\w.]*")
_TOTALS = re.compile(r"\b(?:totals|extremes)\b", re.IGNORECASE)
SHAPE_LENGTH = 2_000
MAX_SHAPES = 2_048
ROWS_AT_ONCE = 8_192
# The engine's JSON has it instead of bytes that are no text.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# No digit is lost on the way through JSON, and no second hour of a clock going back.
LOSSLESS = {
    "output_format_json_quote_64bit_integers": "1",
    "output_format_json_quote_decimals": "1",
    "output_format_json_quote_denormals": "1",
    "date_time_output_format": "iso",
    "date_time_input_format": "best_effort",
    "max_query_size": "0",
}


class Beside(NamedTuple):
    """A block of totals, or of the least and the greatest value of each column."""

    packet: int
    block: bytes


class BeforeLimit(NamedTuple):
    rows: int


Columns = list[ColumnHeader]
Parts = Generator[Columns | bytes | Beside | BeforeLimit, None, None]


class NativeShapes:
    """Statements whose Native blocks are known to name their types in full.

    They need no description first. Statements that differ in their literals alone
    count as one; a wrong entry costs time, never a wrong answer: the rows are checked.
    """

    def __init__(self) -> None:
        self._shapes: set[str] = set()

    def __contains__(self, sql: str) -> bool:
        return _shape(sql) in self._shapes

    def note(self, sql: str, *, is_native: bool) -> None:
        if not is_native:
            self._shapes.discard(_shape(sql))
            return
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        self._shapes.add(_shape(sql))


def result_parts(session: Session, statement: Statement, shapes: NativeShapes) -> Parts:
    """Yield the columns, then each block; nothing for a statement without rows."""
    if statement.kind is not StatementKind.STREAM:
        yield from _finished(session, statement)
    elif statement.sql in shapes:
        yield from _streamed(session, statement.sql, shapes)
    else:
        yield from _described(session, statement.sql, shapes)


def asks_for_totals(sql: str, settings: Mapping[str, str]) -> bool:
    """Return whether an answer may have such rows; a wrong yes costs time alone."""
    extremes = settings.get("extremes", "0")
    return _TOTALS.search(sql) is not None or extremes not in {"0", "false"}


def parts_with_totals(session: Session, sql: str) -> Parts:
    """Yield columns and blocks, then what stands beside them."""
    columns = session.describe_query(sql)
    yield columns
    text = session.execute(sql, "JSONCompact").decode()
    if REPLACEMENT in text:
        raise refusal(
            "The embedded server sends totals and extremes beside text in UTF-8 alone. "
            "Ask for hex() of the bytes, or without totals and extremes.",
            NOT_IMPLEMENTED,
        )
    answer = json.loads(_in_order(text))
    rows = answer["data"]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield _block(session, columns, rows[start : start + ROWS_AT_ONCE])
    if "totals" in answer:
        totals = [answer["totals"]]
        yield Beside(ServerPacket.TOTALS, _block(session, columns, totals))
    if "extremes" in answer:
        ends = [answer["extremes"][end] for end in ("min", "max")]
        yield Beside(ServerPacket.EXTREMES, _block(session, columns, ends))
    if "rows_before_limit_at_least" in answer:
        yield BeforeLimit(answer["rows_before_limit_at_least"])


def _finished(session: Session, statement: Statement) -> Parts:
    columns = None
    for block in split_blocks(session.execute(statement.sql)):
        if columns is None:
            yield (columns := block.headers)
        yield block.content
    if columns is None and statement.kind is StatementKind.READ:
        yield session.header(statement.sql)


def _described(session: Session, sql: str, shapes: NativeShapes) -> Parts:
    try:
        columns = session.describe_query(sql)
    except QueryError as error:
        if error.error_code != SYNTAX_ERROR:
            raise
        # Run as it is, the statement fails at a position the client can see, or does
        # what cannot be described, like WITH ... INSERT.
        yield from _finished(session, Statement(sql=sql, kind=StatementKind.COMMAND))
        return
    shapes.note(sql, is_native=_are_whole_in_native(columns))
    yield columns
    with closing(session.stream(sql, "Buffers")) as blocks:
        for block in blocks:
            yield block_of_buffers(block, columns)


def _streamed(session: Session, sql: str, shapes: NativeShapes) -> Parts:
    with closing(session.stream(sql)) as blocks:
        first = next(blocks, None)
        columns = None if first is None else _columns_in(first)
        if first is not None and columns is not None:
            yield columns
            yield from chain((first,), blocks)
            return
    if first is None:
        yield session.describe_query(sql)
    else:
        # A table has changed its types since the statement was last seen.
        yield from _described(session, sql, shapes)


def _columns_in(block: bytes) -> Columns | None:
    try:
        columns = next(split_blocks(block)).headers
    except QueryError:
        return None
    return columns if _are_whole_in_native(columns) else None


def _are_whole_in_native(columns: Columns) -> bool:
    """Return whether a Native block names the types in full, at lengths this knows.

    The engine writes `DateTime('UTC')` as `DateTime`, as for its oldest clients.
    """
    names = [column.type_name for column in columns]
    return all(it.partition("(")[0] != "DateTime" and is_known(it) for it in names)


def _shape(sql: str) -> str:
    return _LITERAL.sub("?", sql[:SHAPE_LENGTH])


def _in_order(text: str) -> str:
    # Where there are no rows, the engine writes what follows them first of all.
    early, brace, rest = text.partition("{")
    start, gap, end = rest.partition('"data":\n\t[\n')
    return f"{brace}{start}{gap}{early}{end}"


def _block(session: Session, columns: Columns, rows: Sequence[Any]) -> bytes:
    # Columns of a result may share a name, those of a table may not.
    structure = ", ".join(f"c{i} {it.type_name}" for i, it in enumerate(columns))
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    sql = (
        f"SELECT * FROM format(JSONCompactEachRow, {quoted(structure)}, "  # noqa: S608
        f"{quoted(lines)}) SETTINGS max_block_size = {ROWS_AT_ONCE}, max_threads = 1"
    )
    with session.aside():
        return block_of_buffers(session.execute(sql, "Buffers"), columns)
