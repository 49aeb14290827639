"""Rows on their way in: Data packets of a client become one Native file."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clickhouse_driver.varint import make_varint

from riskplatform.embedded.clickhouse.columns import column_of, is_known
from riskplatform.embedded.clickhouse.engine import ColumnHeader
from riskplatform.embedded.clickhouse.errors import (
    UNKNOWN_TYPE,
    ProtocolError,
    refusal,
)
from riskplatform.embedded.clickhouse.protocol import ClientPacket, read_block_start
from riskplatform.embedded.clickhouse.wire import WireReader


def check_receivable(columns: Sequence[ColumnHeader]) -> None:
    """Refuse types of unknown layout before the client sends a row of them."""
    for column in columns:
        if not (_is_json(column.type_name) or is_known(column.type_name)):
            raise refusal(
                f"The embedded server cannot receive {column.name} of type "
                f"{column.type_name} in blocks. Insert it with INSERT ... SELECT or "
                "inline VALUES.",
                UNKNOWN_TYPE,
            )


@contextmanager
def received_file(reader: WireReader, folder: Path) -> Iterator[Path | None]:
    """Collect blocks until the empty one; yield the file, None if there was no row.

    The file goes away whatever happens: a client that breaks off leaves nothing.
    """
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".native") as sink:
        rows = _copy_blocks(reader, sink.file)
        sink.flush()
        yield Path(sink.name) if rows else None


def _copy_blocks(reader: WireReader, sink: IO[bytes]) -> int:
    total_rows = 0
    while True:
        if reader.varint() != ClientPacket.DATA:
            raise ProtocolError("The client broke off the rows of an INSERT.")
        _, columns, rows = read_block_start(reader)
        if not columns:
            return total_rows
        if rows:
            sink.write(make_varint(columns) + make_varint(rows))
        for _ in range(columns):
            _copy_column(reader, sink, rows)
        total_rows += rows


def _copy_column(reader: WireReader, sink: IO[bytes], rows: int) -> None:
    name, type_name = reader.data(), reader.text()
    if not rows:
        return
    if _is_json(type_name):
        # The engine parses text into whatever its JSON looks like today.
        _write_strings(sink, (name, b"String"))
        values = reader.decoded(type_name, rows)
        _write_strings(sink, (json.dumps(it, default=str).encode() for it in values))
        return
    if not is_known(type_name):
        raise ProtocolError(f"The client sends a column of unknown type {type_name}.")
    _write_strings(sink, (name, type_name.encode()))
    flow = _FileFlow(reader, sink)
    column = column_of(type_name)
    column.pass_prefix(flow)
    column.pass_rows(flow, rows)


def _is_json(type_name: str) -> bool:
    return type_name.partition("(")[0] == "JSON"


def _write_strings(sink: IO[bytes], texts: Iterable[bytes]) -> None:
    for text in texts:
        sink.write(make_varint(len(text)))
        sink.write(text)


class _FileFlow:
    """Copies what it passes from the wire to a file."""

    def __init__(self, reader: WireReader, sink: IO[bytes]) -> None:
        self._reader = reader
        self._sink = sink

    def fixed(self, size_bytes: int) -> bytes:
        content = self._reader.raw(size_bytes)
        self._sink.write(content)
        return content

    def strings(self, count: int) -> None:
        _write_strings(self._sink, self._reader.strings(count))
