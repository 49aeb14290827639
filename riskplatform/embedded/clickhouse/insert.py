"""Taking an INSERT: a sample for the client, a file of its rows, one statement.

Rows are on the file system before the client gets an answer, so they survive the death
of this process; with --fsync they are on the disk and survive a power cut too.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from riskplatform.embedded.clickhouse import protocol
from riskplatform.embedded.clickhouse.engine import ColumnHeader, Session
from riskplatform.embedded.clickhouse.errors import (
    NO_SUCH_COLUMN,
    UNKNOWN_TYPE,
    ProtocolError,
    refusal,
)
from riskplatform.embedded.clickhouse.nativeblock import column_of, is_known
from riskplatform.embedded.clickhouse.protocol import ClientPacket, Line, varint
from riskplatform.embedded.clickhouse.statement import InsertStatement


def sample_columns(session: Session, insert: InsertStatement) -> list[ColumnHeader]:
    """Return the columns the client has to send, in the order it named them.

    Types of unknown layout are refused, before the client sends a row of them.
    """
    columns = _named_columns(session, insert)
    for column in columns:
        if not (_is_json(column.type_name) or is_known(column.type_name)):
            raise refusal(
                f"The embedded server cannot receive {column.name} of type "
                f"{column.type_name} in blocks. Insert it with INSERT ... SELECT or "
                "inline VALUES.",
                UNKNOWN_TYPE,
            )
    return columns


@contextmanager
def received_file(
    line: Line, columns: Sequence[ColumnHeader], folder: Path
) -> Iterator[Path | None]:
    """Collect blocks until the empty one; yield the file, None if there was no row.

    The file goes away whatever happens: a client that breaks off leaves nothing.
    """
    line.send(protocol.header(columns))
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".native") as sink:
        rows = _copy_blocks(line, sink.file)
        sink.flush()
        yield Path(sink.name) if rows else None


def _named_columns(session: Session, insert: InsertStatement) -> list[ColumnHeader]:
    names = insert.column_names
    if names is None or not names:
        # The client's own list, described instead of inserted.
        wanted = insert.columns[1:-1] or "*"
        return session.describe(f"(SELECT {wanted} FROM {insert.target})")  # noqa: S608
    described = session.describe(f"TABLE {insert.target}")
    types = {column.name: column for column in described}
    missing = next((name for name in names if name not in types), None)
    if missing is not None:
        raise refusal(
            f"No such column {missing} in table {insert.target}", NO_SUCH_COLUMN
        )
    return [types[name] for name in names]


def _copy_blocks(line: Line, sink: IO[bytes]) -> int:
    total_rows = 0
    while True:
        if line.varint() != ClientPacket.DATA:
            raise ProtocolError("The client broke off the rows of an INSERT.")
        columns, rows = protocol.read_block_start(line)
        if not columns:
            return total_rows
        if rows:
            sink.write(varint(columns) + varint(rows))
        for _ in range(columns):
            _copy_column(line, sink, rows)
        total_rows += rows


def _copy_column(line: Line, sink: IO[bytes], rows: int) -> None:
    name, type_name = line.data(), line.text()
    if not rows:
        return
    if _is_json(type_name):
        # The engine parses text into whatever its JSON looks like today.
        _write_strings(sink, (name, b"String"))
        values = line.decoded(type_name, rows)
        _write_strings(sink, (json.dumps(it, default=str).encode() for it in values))
        return
    if not is_known(type_name):
        raise ProtocolError(f"The client sends a column of unknown type {type_name}.")
    _write_strings(sink, (name, type_name.encode()))
    column_of(type_name).pass_over(_FileFlow(line, sink), rows)


def _is_json(type_name: str) -> bool:
    return type_name.partition("(")[0] == "JSON"


def _write_strings(sink: IO[bytes], texts: Iterable[bytes]) -> None:
    for text in texts:
        sink.write(varint(len(text)))
        sink.write(text)


class _FileFlow:
    """Copies what it passes from the wire to a file."""

    def __init__(self, line: Line, sink: IO[bytes]) -> None:
        self._line = line
        self._sink = sink

    def fixed(self, size_bytes: int) -> bytes:
        content = self._line.raw(size_bytes)
        self._sink.write(content)
        return content

    def strings(self, count: int) -> None:
        _write_strings(self._sink, self._line.strings(count))
