"""The native protocol at the one revision this server speaks: a line and its packets.

What the driver does for a client is used for both ends: its buffered socket, its number
formats. It has no types, so nothing else looks into it.
"""

import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse_driver.bufferedreader import BufferedSocketReader
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.columns.service import read_column
from clickhouse_driver.context import Context
from clickhouse_driver.defines import BUFFER_SIZE
from clickhouse_driver.protocol import ClientPacketTypes, ServerPacketTypes
from clickhouse_driver.varint import make_varint, read_varint

from riskplatform.embedded.clickhouse.engine import ColumnHeader, Progress
from riskplatform.embedded.clickhouse.errors import (
    UNKNOWN_COMPRESSION_METHOD,
    ProtocolError,
    QueryError,
    refusal,
)

ClientPacket = ClientPacketTypes
ServerPacket = ServerPacketTypes
# Below inter-server secrets, OpenTelemetry, custom serialisation and the addendum:
# the plainest dialect every driver still speaks, with settings as strings.
REVISION = 54440
SERVER_NAME = "ClickHouse"
DISPLAY_NAME = "riskplatform embedded"
NO_QUERY = 0
TCP_INTERFACE = 1
IMPORTANT_FLAG = 1
# No table name. Field 1, overflows: no; field 2, bucket: -1; end.
BLOCK_INFO = b"\x00\x01\x00\x02\xff\xff\xff\xff\x00"
# A length a client may claim before its bytes have arrived.
MAX_READ_BYTES = 1024 * 1024 * 1024
DECODING = {
    "strings_as_bytes": False,
    "strings_encoding": "utf-8",
    "use_numpy": False,
    "input_format_null_as_default": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    revision: int
    database: str
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """`important` names the settings that may not be ignored."""

    query_id: str
    settings: Mapping[str, str]
    important: frozenset[str]
    sql: str


@dataclass(slots=True, kw_only=True)
class Sent:
    """What a client has been sent as rows of an answer."""

    rows: int = 0
    blocks: int = 0
    bytes: int = 0
    rows_before_limit: int | None = None


class Line:
    """The two directions of one client's connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._source: Any = BufferedSocketReader(connection, BUFFER_SIZE)
        self._sink: Any = BufferedSocketWriter(connection, BUFFER_SIZE)

    def varint(self) -> int:
        number: int = read_varint(self._source)
        return number

    def text(self) -> str:
        return self.data().decode("utf-8", errors="replace")

    def data(self) -> bytes:
        return self.raw(self.varint())

    def raw(self, size_bytes: int) -> bytes:
        if size_bytes > MAX_READ_BYTES:
            raise ProtocolError(
                f"The client announces {size_bytes} bytes at once; "
                f"send at most {MAX_READ_BYTES}."
            )
        content: bytes = self._source.read(size_bytes)
        return content

    def strings(self, count: int) -> tuple[bytes, ...]:
        items: tuple[bytes, ...] = self._source.read_strings(count)
        return items

    def decoded(self, type_name: str, rows: int) -> list[Any]:
        """Read a column as the driver decodes it, for types without fixed layout."""
        context: Any = Context()
        context.settings = {}
        context.client_settings = DECODING
        return list(read_column(context, type_name, rows, self._source))

    def write(self, *pieces: bytes) -> None:
        """Write what leaves with what follows, or with `send`."""
        for piece in pieces:
            self._sink.write(piece)

    def send(self, *pieces: bytes) -> None:
        self.write(*pieces)
        self._sink.flush()


def varint(number: int) -> bytes:
    encoded: bytes = make_varint(number)
    return encoded


def string(content: str | bytes) -> bytes:
    encoded = content.encode() if isinstance(content, str) else content
    return varint(len(encoded)) + encoded


def read_hello(line: Line) -> Hello:
    if line.varint() != ClientPacket.HELLO:
        raise ProtocolError("The client does not speak ClickHouse's native protocol.")
    line.data()
    _skip_numbers(line, 2)
    return Hello(
        revision=line.varint(),
        database=line.text(),
        user=line.text(),
        password=line.text(),
    )


def read_query(line: Line) -> Query:
    query_id = line.text()
    _skip_client_info(line)
    settings, important = {}, set()
    while name := line.text():
        if line.raw(1)[0] & IMPORTANT_FLAG:
            important.add(name)
        settings[name] = line.text()
    line.varint()
    if line.varint():
        raise refusal(
            "The embedded server does not compress. Connect with compression=False.",
            UNKNOWN_COMPRESSION_METHOD,
        )
    return Query(
        query_id=query_id,
        settings=settings,
        important=frozenset(important),
        sql=line.text(),
    )


def read_block_start(line: Line) -> tuple[int, int]:
    """Return how many columns and rows follow."""
    line.data()
    while field := line.varint():
        line.raw(1 if field == 1 else 4)
    return line.varint(), line.varint()


def hello(*, version: str, timezone: str) -> bytes:
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    return b"".join(
        [
            varint(ServerPacket.HELLO),
            string(SERVER_NAME),
            _varints((major, minor, REVISION)),
            string(timezone),
            string(DISPLAY_NAME),
            varint(patch),
        ]
    )


def block_start(packet: int = ServerPacket.DATA) -> bytes:
    """Begin a packet that goes on with a Native block."""
    return varint(packet) + BLOCK_INFO


def header(columns: Sequence[ColumnHeader]) -> bytes:
    """Give names and types alone: no rows, and no column prefix either."""
    names = [string(text) for column in columns for text in column]
    return b"".join([block_start(), _varints((len(columns), 0)), *names])


def progress_packet(progress: Progress) -> bytes:
    """Give what was done since the last such packet."""
    return _varints((ServerPacket.PROGRESS, *progress))


def profile_packet(sent: Sent) -> bytes:
    """Give what the rows sent amount to."""
    knows_limit = sent.rows_before_limit is not None
    numbers = (sent.rows, sent.blocks, sent.bytes, knows_limit)
    limit = (sent.rows_before_limit or 0, knows_limit)
    return _varints((ServerPacket.PROFILE_INFO, *numbers, *limit))


def exception_packet(error: QueryError) -> bytes:
    return b"".join(
        [
            varint(ServerPacket.EXCEPTION),
            error.error_code.to_bytes(4, "little", signed=True),
            *map(string, ("DB::Exception", error.message, "")),
            b"\0",
        ]
    )


def _skip_client_info(line: Line) -> None:
    if line.raw(1)[0] == NO_QUERY:
        return
    for _ in ("initial user", "initial query id", "initial address"):
        line.data()
    if line.raw(1)[0] != TCP_INTERFACE:
        raise ProtocolError("The query claims to come from another interface than TCP.")
    for _ in ("system user", "host", "client"):
        line.data()
    # Version, revision, quota key, and the last part of the version.
    _skip_numbers(line, 3)
    line.data()
    _skip_numbers(line, 1)


def _skip_numbers(line: Line, count: int) -> None:
    for _ in range(count):
        line.varint()


def _varints(numbers: Iterable[int]) -> bytes:
    return b"".join(map(varint, numbers))
