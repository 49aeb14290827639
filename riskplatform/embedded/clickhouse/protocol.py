"""The packets of the native protocol at the one revision this server speaks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from riskplatform.embedded.clickhouse.engine import ColumnHeader, Progress
from riskplatform.embedded.clickhouse.errors import (
    UNKNOWN_COMPRESSION_METHOD,
    ProtocolError,
    QueryError,
    refusal,
)
from riskplatform.embedded.clickhouse.querysettings import SettingValue
from riskplatform.embedded.clickhouse.wire import WireReader, WireWriter

# Below inter-server secrets, OpenTelemetry, custom serialisation and the addendum:
# the plainest dialect every driver still speaks, with settings as strings.
REVISION = 54440
SERVER_NAME = "ClickHouse"
DISPLAY_NAME = "riskplatform embedded"
NO_QUERY = 0
TCP_INTERFACE = 1
IMPORTANT_FLAG = 1
# Field 1, overflows: no; field 2, bucket: -1; end.
BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"


class ClientPacket(IntEnum):
    HELLO = 0
    QUERY = 1
    DATA = 2
    CANCEL = 3
    PING = 4


class ServerPacket(IntEnum):
    HELLO = 0
    DATA = 1
    EXCEPTION = 2
    PROGRESS = 3
    PONG = 4
    END_OF_STREAM = 5
    PROFILE_INFO = 6
    TOTALS = 7
    EXTREMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    client_name: str
    revision: int
    database: str
    user: str
    password: str


@dataclass(slots=True, kw_only=True)
class Sent:
    """What a client has been sent as rows of an answer."""

    rows: int = 0
    blocks: int = 0
    bytes: int = 0
    rows_before_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    query_id: str
    sql: str
    settings: Mapping[str, SettingValue]


def read_hello(reader: WireReader) -> Hello:
    if reader.varint() != ClientPacket.HELLO:
        raise ProtocolError("The client does not speak ClickHouse's native protocol.")
    name = reader.text()
    _skip_version(reader)
    return Hello(
        client_name=name,
        revision=reader.varint(),
        database=reader.text(),
        user=reader.text(),
        password=reader.text(),
    )


def read_query(reader: WireReader) -> Query:
    query_id = reader.text()
    _skip_client_info(reader)
    settings = dict(_read_settings(reader))
    reader.varint()
    if reader.varint():
        raise refusal(
            "The embedded server does not compress. Connect with compression=False.",
            UNKNOWN_COMPRESSION_METHOD,
        )
    return Query(query_id=query_id, sql=reader.text(), settings=settings)


def read_block_start(reader: WireReader) -> tuple[str, int, int]:
    """Return the table name, and how many columns and rows follow."""
    table = reader.text()
    while field := reader.varint():
        reader.raw(1 if field == 1 else 4)
    return table, reader.varint(), reader.varint()


def write_hello(writer: WireWriter, *, version: str, timezone: str) -> None:
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    writer.varint(ServerPacket.HELLO)
    writer.text(SERVER_NAME)
    writer.varint(major)
    writer.varint(minor)
    writer.varint(REVISION)
    writer.text(timezone)
    writer.text(DISPLAY_NAME)
    writer.varint(patch)
    writer.flush()


def write_block(
    writer: WireWriter,
    native_block: bytes,
    packet: ServerPacket = ServerPacket.DATA,
) -> None:
    writer.varint(packet)
    writer.text("")
    writer.raw(BLOCK_INFO)
    writer.raw(native_block)
    writer.flush()


def write_header(writer: WireWriter, columns: Sequence[ColumnHeader]) -> None:
    """Write names and types alone: no rows, and no column prefix either.

    They leave with what follows, or with a flush.
    """
    writer.varint(ServerPacket.DATA)
    writer.text("")
    writer.raw(BLOCK_INFO)
    writer.varint(len(columns))
    writer.varint(0)
    for column in columns:
        writer.text(column.name)
        writer.text(column.type_name)


def write_progress(writer: WireWriter, progress: Progress) -> None:
    """Write what was done since the last such packet; it leaves with what follows."""
    writer.varint(ServerPacket.PROGRESS)
    for number in (
        progress.rows,
        progress.bytes,
        progress.total_rows,
        progress.written_rows,
        progress.written_bytes,
    ):
        writer.varint(number)


def write_profile_info(writer: WireWriter, sent: Sent) -> None:
    """Write what the rows sent amount to; it leaves with what follows."""
    writer.varint(ServerPacket.PROFILE_INFO)
    for number in (sent.rows, sent.blocks, sent.bytes):
        writer.varint(number)
    knows_limit = sent.rows_before_limit is not None
    writer.raw(bytes((knows_limit,)))
    writer.varint(sent.rows_before_limit or 0)
    writer.raw(bytes((knows_limit,)))


def write_exception(writer: WireWriter, error: QueryError) -> None:
    writer.varint(ServerPacket.EXCEPTION)
    writer.int32(error.error_code)
    writer.text("DB::Exception")
    writer.text(error.message)
    writer.text("")
    writer.raw(b"\0")
    writer.flush()


def write_signal(writer: WireWriter, packet: ServerPacket) -> None:
    writer.varint(packet)
    writer.flush()


def _skip_client_info(reader: WireReader) -> None:
    if reader.uint8() == NO_QUERY:
        return
    for _ in ("initial user", "initial query id", "initial address"):
        reader.data()
    if reader.uint8() != TCP_INTERFACE:
        raise ProtocolError("The query claims to come from another interface than TCP.")
    for _ in ("system user", "host", "client"):
        reader.data()
    _skip_version(reader)
    reader.varint()
    reader.data()
    reader.varint()


def _skip_version(reader: WireReader) -> None:
    reader.varint()
    reader.varint()


def _read_settings(reader: WireReader) -> Iterator[tuple[str, SettingValue]]:
    while name := reader.text():
        flags = reader.uint8()
        value = SettingValue(
            value=reader.text(), important=bool(flags & IMPORTANT_FLAG)
        )
        yield name, value
