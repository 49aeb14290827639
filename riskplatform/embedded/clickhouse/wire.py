"""The untyped edge: the driver's buffered socket and number formats, with types."""

import socket
from dataclasses import dataclass
from typing import Any, Self

from clickhouse_driver.bufferedreader import BufferedSocketReader
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.columns.service import read_column
from clickhouse_driver.context import Context
from clickhouse_driver.defines import BUFFER_SIZE
from clickhouse_driver.reader import read_binary_uint8
from clickhouse_driver.varint import read_varint, write_varint
from clickhouse_driver.writer import write_binary_bytes, write_binary_int32

from riskplatform.embedded.clickhouse.errors import ProtocolError

# A length a client may claim before its bytes have arrived.
MAX_READ_BYTES = 1024 * 1024 * 1024


class WireReader:
    def __init__(self, connection: socket.socket) -> None:
        self._buffer: Any = BufferedSocketReader(connection, BUFFER_SIZE)

    def varint(self) -> int:
        number: int = read_varint(self._buffer)
        return number

    def uint8(self) -> int:
        number: int = read_binary_uint8(self._buffer)
        return number

    def data(self) -> bytes:
        return self.raw(self.varint())

    def text(self) -> str:
        return self.data().decode("utf-8", errors="replace")

    def raw(self, size_bytes: int) -> bytes:
        if size_bytes > MAX_READ_BYTES:
            raise ProtocolError(
                f"The client announces {size_bytes} bytes at once; "
                f"send at most {MAX_READ_BYTES}."
            )
        content: bytes = self._buffer.read(size_bytes)
        return content

    def decoded(self, type_name: str, rows: int) -> list[Any]:
        """Read a column as the driver decodes it, for types without fixed layout."""
        return list(read_column(_decoding(), type_name, rows, self._buffer))

    def strings(self, count: int) -> tuple[bytes, ...]:
        items: tuple[bytes, ...] = self._buffer.read_strings(count)
        return items


class WireWriter:
    def __init__(self, connection: socket.socket) -> None:
        self._buffer: Any = BufferedSocketWriter(connection, BUFFER_SIZE)

    def varint(self, number: int) -> None:
        write_varint(number, self._buffer)

    def int32(self, number: int) -> None:
        write_binary_int32(number, self._buffer)

    def data(self, content: bytes) -> None:
        write_binary_bytes(content, self._buffer)

    def text(self, content: str) -> None:
        self.data(content.encode())

    def raw(self, content: bytes) -> None:
        self._buffer.write(content)

    def flush(self) -> None:
        self._buffer.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The two directions of one client's connection."""

    connection: socket.socket
    reader: WireReader
    writer: WireWriter

    @classmethod
    def to(cls, connection: socket.socket) -> Self:
        return cls(
            connection=connection,
            reader=WireReader(connection),
            writer=WireWriter(connection),
        )


def _decoding() -> Any:
    context: Any = Context()
    context.settings = {}
    context.client_settings = {
        "strings_as_bytes": False,
        "strings_encoding": "utf-8",
        "use_numpy": False,
        "input_format_null_as_default": False,
    }
    return context
