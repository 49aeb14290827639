"""One client's connection, from hello to goodbye."""

import hmac
import socket
from collections.abc import Iterator
from contextlib import closing

from riskplatform.embedded.clickhouse import protocol
from riskplatform.embedded.clickhouse.answer import Answerer
from riskplatform.embedded.clickhouse.engine import Session
from riskplatform.embedded.clickhouse.errors import (
    AUTHENTICATION_FAILED,
    BAD_ARGUMENTS,
    ProtocolError,
    QueryError,
    refusal,
)
from riskplatform.embedded.clickhouse.host import Host
from riskplatform.embedded.clickhouse.protocol import ClientPacket, ServerPacket
from riskplatform.embedded.clickhouse.wire import Line

# How long a client may stay silent between statements, and in the middle of one.
IDLE_TIMEOUT_S = 3600.0
ANSWER_TIMEOUT_S = 300.0


class Conversation:
    def __init__(self, host: Host, connection: socket.socket) -> None:
        self._host = host
        self._line = Line.to(connection)

    def run(self) -> None:
        """Serve until the client leaves."""
        try:
            hello = protocol.read_hello(self._line.reader)
            self._check_client(hello)
            with closing(self._host.engine.open_session()) as session:
                self._greet(session, hello)
                self._serve(session)
        except QueryError as error:
            protocol.write_exception(self._line.writer, error)

    def _greet(self, session: Session, hello: protocol.Hello) -> None:
        if hello.database:
            quoted = hello.database.replace("`", "``")
            session.execute(f"USE `{quoted}`")
        protocol.write_hello(
            self._line.writer,
            version=self._host.engine.version,
            timezone=self._host.engine.timezone,
        )

    def _check_client(self, hello: protocol.Hello) -> None:
        known = hmac.compare_digest(hello.user.encode(), self._host.user.encode())
        right = hmac.compare_digest(
            hello.password.encode(), self._host.password.encode()
        )
        if not (known and right):
            raise refusal(
                f"{hello.user}: Authentication failed: password is incorrect, "
                "or there is no user with such name.",
                AUTHENTICATION_FAILED,
            )
        if hello.revision < protocol.REVISION:
            raise refusal(
                f"The client's protocol revision {hello.revision} is too old; "
                f"use a client of revision {protocol.REVISION} or newer.",
                BAD_ARGUMENTS,
            )

    def _serve(self, session: Session) -> None:
        answerer = Answerer(session, host=self._host, line=self._line)
        for packet in self._packets():
            if packet == ClientPacket.QUERY:
                self._line.connection.settimeout(ANSWER_TIMEOUT_S)
                query = protocol.read_query(self._line.reader)
                self._read_external_tables()
                answerer.answer(query)
            elif packet == ClientPacket.PING:
                protocol.write_signal(self._line.writer, ServerPacket.PONG)
            elif packet != ClientPacket.CANCEL:
                raise ProtocolError(f"The client sent packet {packet} out of turn.")

    def _packets(self) -> Iterator[int]:
        while True:
            self._line.connection.settimeout(IDLE_TIMEOUT_S)
            try:
                packet = self._line.reader.varint()
            except EOFError:
                return
            yield packet

    def _read_external_tables(self) -> None:
        if self._line.reader.varint() != ClientPacket.DATA:
            raise ProtocolError("The client left out the end of its external tables.")
        _, columns, _ = protocol.read_block_start(self._line.reader)
        if columns:
            raise refusal(
                "The embedded server takes no external tables. "
                "Use a temporary table instead.",
                BAD_ARGUMENTS,
            )
