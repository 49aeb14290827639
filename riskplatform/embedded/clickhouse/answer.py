"""Answering one statement: rows streamed out, rows taken in, or a plain done."""

from contextlib import closing

from riskplatform.embedded.clickhouse import protocol
from riskplatform.embedded.clickhouse.engine import Session
from riskplatform.embedded.clickhouse.errors import QUERY_WAS_CANCELLED, QueryError
from riskplatform.embedded.clickhouse.host import Host, Line
from riskplatform.embedded.clickhouse.insert import take_rows
from riskplatform.embedded.clickhouse.insertstatement import read_insert
from riskplatform.embedded.clickhouse.protocol import Query, ServerPacket
from riskplatform.embedded.clickhouse.querysettings import QuerySettings
from riskplatform.embedded.clickhouse.result import result_parts
from riskplatform.embedded.clickhouse.statement import Kind, Statement, read_statement


class Answerer:
    def __init__(self, session: Session, *, host: Host, line: Line) -> None:
        self._session = session
        self._settings = QuerySettings(session)
        self._host = host
        self._line = line

    def answer(self, query: Query) -> None:
        """Run a query to its end packet, which is an exception if it failed."""
        try:
            statement = read_statement(query.sql)
            if statement.kind is Kind.SET:
                self._settings.forget()
            else:
                self._settings.apply(query.settings)
            self._run(statement)
        except QueryError as error:
            protocol.write_exception(self._line.writer, error)
        else:
            protocol.write_signal(self._line.writer, ServerPacket.END_OF_STREAM)

    def _run(self, statement: Statement) -> None:
        self._host.guard.check(statement.sql)
        insert = read_insert(statement.sql) if statement.kind is Kind.INSERT else None
        if insert is not None:
            take_rows(self._session, insert, host=self._host, line=self._line)
            return
        with self._host.watcher.watching(self._line.connection) as watched:
            try:
                self._send_rows(statement)
            except QueryError as error:
                if not (watched.cancelled and error.error_code == QUERY_WAS_CANCELLED):
                    raise

    def _send_rows(self, statement: Statement) -> None:
        with closing(
            result_parts(self._session, statement, self._host.shapes)
        ) as parts:
            for part in parts:
                if isinstance(part, bytes):
                    protocol.write_block(self._line.writer, part)
                else:
                    protocol.write_header(self._line.writer, part)
