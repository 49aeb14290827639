"""What a client is owed for its rows: a header first, then blocks with full types."""

import re
import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import closing
from itertools import chain

from riskplatform.embedded.clickhouse.columns import is_known
from riskplatform.embedded.clickhouse.engine import ColumnHeader, Session
from riskplatform.embedded.clickhouse.errors import SYNTAX_ERROR, QueryError
from riskplatform.embedded.clickhouse.nativeblock import (
    block_of_buffers,
    read_block,
    split_blocks,
)
from riskplatform.embedded.clickhouse.statement import Kind, Statement

_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\b\d[\w.]*")
SHAPE_LENGTH = 2_000
MAX_SHAPES = 2_048
Columns = list[ColumnHeader]
Parts = Generator[Columns | bytes, None, None]


class ShapeMemory:
    """Statements that differ in their literals alone count as one shape.

    A wrong entry costs time, never a wrong answer: the caller checks the rows.
    """

    def __init__(self) -> None:
        self._describe_first: OrderedDict[str, bool] = OrderedDict()
        self._lock = threading.Lock()

    def describes_first(self, sql: str) -> bool:
        """Return whether to describe before running: yes for every new shape."""
        shape = _shape(sql)
        with self._lock:
            if shape not in self._describe_first:
                return True
            self._describe_first.move_to_end(shape)
            return self._describe_first[shape]

    def remember(self, sql: str, *, describe_first: bool) -> None:
        with self._lock:
            self._describe_first[_shape(sql)] = describe_first
            if len(self._describe_first) > MAX_SHAPES:
                self._describe_first.popitem(last=False)


def result_parts(session: Session, statement: Statement, shapes: ShapeMemory) -> Parts:
    """Yield the columns, then each block; nothing for a statement without rows."""
    if statement.kind is not Kind.STREAM:
        yield from _finished(session, statement)
    elif shapes.describes_first(statement.sql):
        yield from _described(session, statement.sql, shapes)
    else:
        yield from _streamed(session, statement.sql, shapes)


def _finished(session: Session, statement: Statement) -> Parts:
    is_first = True
    for block in split_blocks(session.execute(statement.sql)):
        if is_first:
            yield block.headers
        is_first = False
        yield block.alone()
    if is_first and statement.kind is Kind.READ:
        yield session.header(statement.sql)


def _described(session: Session, sql: str, shapes: ShapeMemory) -> Parts:
    try:
        columns = session.describe_query(sql)
    except QueryError as error:
        if error.error_code != SYNTAX_ERROR:
            raise
        # Run as it is, the statement fails at a position the client can see, or does
        # what cannot be described, like WITH ... INSERT.
        yield from _finished(session, Statement(sql=sql, kind=Kind.COMMAND))
        return
    shapes.remember(sql, describe_first=not all(map(_is_whole_in_native, columns)))
    yield columns
    with closing(session.stream(sql, "Buffers")) as blocks:
        for block in blocks:
            yield block_of_buffers(block, columns)


def _streamed(session: Session, sql: str, shapes: ShapeMemory) -> Parts:
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
        columns = read_block(block).headers
    except QueryError:
        return None
    return columns if all(map(_is_whole_in_native, columns)) else None


def _is_whole_in_native(column: ColumnHeader) -> bool:
    """Return whether a Native block names the type in full, at a length this knows.

    The engine writes `DateTime('UTC')` as `DateTime`, as for its oldest clients.
    """
    name = column.type_name
    return name.partition("(")[0] != "DateTime" and is_known(name)


def _shape(sql: str) -> str:
    return _LITERAL.sub("?", sql[:SHAPE_LENGTH])
