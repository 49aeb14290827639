"""One client's connection, from hello to goodbye: statements and their answers."""

import hmac
import socket
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from riskplatform.embedded.clickhouse import errors, protocol, result
from riskplatform.embedded.clickhouse.engine import (
    Engine,
    Progress,
    QuerySettings,
    Session,
    quoted_name,
)
from riskplatform.embedded.clickhouse.errors import ProtocolError, QueryError, refusal
from riskplatform.embedded.clickhouse.guard import Guard
from riskplatform.embedded.clickhouse.insert import received_file, sample_columns
from riskplatform.embedded.clickhouse.lexemes import Lexer
from riskplatform.embedded.clickhouse.nativeblock import row_count
from riskplatform.embedded.clickhouse.protocol import ClientPacket, Line, ServerPacket
from riskplatform.embedded.clickhouse.statement import (
    InsertStatement,
    Statement,
    StatementKind,
    read_insert,
    read_statement,
)
from riskplatform.embedded.clickhouse.watcher import Watcher, with_client_ids

# How long a client may stay silent between statements, and in the middle of one.
IDLE_TIMEOUT_S = 3600.0
ANSWER_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the conversations of one server share."""

    engine: Engine
    watcher: Watcher
    lexer: Lexer
    guard: Guard
    incoming: Path
    user: str
    password: str
    shapes: result.NativeShapes = field(default_factory=result.NativeShapes)


def converse(host: Host, connection: socket.socket) -> None:
    """Serve a client from its hello until it leaves."""
    line, engine = Line(connection), host.engine
    try:
        hello = protocol.read_hello(line)
        _check_client(hello, host)
        with closing(engine.open_session()) as session:
            if hello.database:
                session.execute(f"USE {quoted_name(hello.database)}")
            line.send(protocol.hello(version=engine.version, timezone=engine.timezone))
            Conversation(session, host=host, line=line).run()
    except QueryError as error:
        line.send(protocol.exception_packet(error))


class Conversation:
    """Statements and their answers: rows sent, rows taken in, or a plain done."""

    def __init__(self, session: Session, *, host: Host, line: Line) -> None:
        self._session = session
        self._settings = QuerySettings(session)
        self._host = host
        self._line = line
        self._reported = Progress()
        self._may_have_extremes = False

    def run(self) -> None:
        line = self._line
        while True:
            line.connection.settimeout(IDLE_TIMEOUT_S)
            try:
                packet = line.varint()
            except EOFError:
                return
            if packet == ClientPacket.QUERY:
                line.connection.settimeout(ANSWER_TIMEOUT_S)
                query = protocol.read_query(line)
                self._read_external_tables()
                self.answer(query)
            elif packet == ClientPacket.PING:
                line.send(protocol.varint(ServerPacket.PONG))
            elif packet != ClientPacket.CANCEL:
                raise ProtocolError(f"The client sent packet {packet} out of turn.")

    def answer(self, query: protocol.Query) -> None:
        """Run a query to its end packet, which is an exception if it failed."""
        self._reported = self._session.progress = Progress()
        try:
            statement = read_statement(query.sql)
            self._host.guard.check(statement.sql)
            self._run(statement, query)
        except QueryError as error:
            self._line.send(protocol.exception_packet(error))
        else:
            self._line.send(protocol.varint(ServerPacket.END_OF_STREAM))

    def _run(self, statement: Statement, query: protocol.Query) -> None:
        has_totals = statement.kind is StatementKind.STREAM and (
            self._may_have_extremes
            or result.asks_for_totals(statement.sql, query.settings)
        )
        if statement.kind is StatementKind.SET:
            self._settings.forget()
            self._may_have_extremes |= "extremes" in statement.sql.lower()
        else:
            lossless = result.LOSSLESS if has_totals else {}
            self._settings.apply({**query.settings, **lossless}, query.important)
        insert = (
            read_insert(statement.sql)
            if statement.kind is StatementKind.INSERT
            else None
        )
        if insert is not None:
            self._take_rows(insert, query.query_id)
            return
        watcher = self._host.watcher
        with watcher.watching(self._line.connection, query.query_id) as watched:
            try:
                self._send_rows(self._parts(statement, has_totals=has_totals))
            except QueryError as error:
                if not (
                    watched.cancelled and error.error_code == errors.QUERY_WAS_CANCELLED
                ):
                    raise

    def _take_rows(self, insert: InsertStatement, query_id: str) -> None:
        """Insert what the client sends, all of it or, if it breaks off, none of it."""
        host, line = self._host, self._line
        host.guard.check(insert.without_rows)
        columns = sample_columns(self._session, insert)
        with received_file(line, columns, host.incoming) as path:
            if path is not None:
                with host.watcher.watching(line.connection, query_id):
                    self._session.execute(insert.reading(str(path)))
        self._tell_progress()

    def _parts(self, statement: Statement, *, has_totals: bool) -> result.Parts:
        host = self._host
        if has_totals:
            return result.parts_with_totals(self._session, statement.sql)
        sql = with_client_ids(statement.sql, host.watcher.client_ids(), host.lexer)
        seen = Statement(sql=sql, kind=statement.kind)
        return result.result_parts(self._session, seen, host.shapes)

    def _send_rows(self, parts: result.Parts) -> None:
        line, sent = self._line, protocol.Sent()
        with closing(parts):
            for part in parts:
                if isinstance(part, bytes):
                    self._tell_progress()
                    line.send(protocol.block_start(), part)
                    sent.rows += row_count(part)
                    sent.blocks += 1
                    sent.bytes += len(part)
                elif isinstance(part, result.Beside):
                    line.send(protocol.block_start(part.packet), part.block)
                elif isinstance(part, result.BeforeLimit):
                    sent.rows_before_limit = part.rows
                else:
                    line.write(protocol.header(part))
        line.write(protocol.profile_packet(sent))
        self._tell_progress()

    def _tell_progress(self) -> None:
        now = self._session.progress
        news = now.since(self._reported)
        if news != Progress():
            self._line.write(protocol.progress_packet(news))
            self._reported = now

    def _read_external_tables(self) -> None:
        if self._line.varint() != ClientPacket.DATA:
            raise ProtocolError("The client left out the end of its external tables.")
        columns, _ = protocol.read_block_start(self._line)
        if columns:
            raise refusal(
                "The embedded server takes no external tables. "
                "Use a temporary table instead.",
                errors.BAD_ARGUMENTS,
            )


def _check_client(hello: protocol.Hello, host: Host) -> None:
    known = hmac.compare_digest(hello.user.encode(), host.user.encode())
    right = hmac.compare_digest(hello.password.encode(), host.password.encode())
    if not (known and right):
        raise refusal(
            f"{hello.user}: Authentication failed: password is incorrect, "
            "or there is no user with such name.",
            errors.AUTHENTICATION_FAILED,
        )
    if hello.revision < protocol.REVISION:
        raise refusal(
            f"The client's protocol revision {hello.revision} is too old; "
            f"use a client of revision {protocol.REVISION} or newer.",
            errors.BAD_ARGUMENTS,
        )
