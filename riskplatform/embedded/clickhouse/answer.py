"""Answering one statement: rows streamed out, rows taken in, or a plain done."""

from collections.abc import Mapping
from contextlib import closing

from riskplatform.embedded.clickhouse import protocol
from riskplatform.embedded.clickhouse.engine import Progress, Session
from riskplatform.embedded.clickhouse.errors import QUERY_WAS_CANCELLED, QueryError
from riskplatform.embedded.clickhouse.host import Host
from riskplatform.embedded.clickhouse.insert import take_rows
from riskplatform.embedded.clickhouse.insertstatement import read_insert
from riskplatform.embedded.clickhouse.nativeblock import row_count
from riskplatform.embedded.clickhouse.protocol import Query, Sent, ServerPacket
from riskplatform.embedded.clickhouse.queryids import with_client_ids
from riskplatform.embedded.clickhouse.querysettings import QuerySettings, SettingValue
from riskplatform.embedded.clickhouse.result import result_parts
from riskplatform.embedded.clickhouse.statement import Kind, Statement, read_statement
from riskplatform.embedded.clickhouse.totals import (
    LOSSLESS,
    BeforeLimit,
    Beside,
    Parts,
    asks_for_totals,
    parts_with_totals,
)
from riskplatform.embedded.clickhouse.wire import Line


class Answerer:
    def __init__(self, session: Session, *, host: Host, line: Line) -> None:
        self._session = session
        self._settings = QuerySettings(session)
        self._host = host
        self._line = line
        self._reported = Progress()
        self._may_have_extremes = False

    def answer(self, query: Query) -> None:
        """Run a query to its end packet, which is an exception if it failed."""
        self._reported = self._session.progress = Progress()
        try:
            statement = read_statement(query.sql)
            self._host.guard.check(statement.sql)
            if statement.kind is Kind.SET:
                self._settings.forget()
                self._may_have_extremes |= "extremes" in statement.sql.lower()
            else:
                self._settings.apply(self._settings_of(query, statement))
            self._run(statement, query)
        except QueryError as error:
            protocol.write_exception(self._line.writer, error)
        else:
            protocol.write_signal(self._line.writer, ServerPacket.END_OF_STREAM)

    def _settings_of(
        self, query: Query, statement: Statement
    ) -> Mapping[str, SettingValue]:
        if self._has_totals(query, statement):
            return {**query.settings, **LOSSLESS}
        return query.settings

    def _has_totals(self, query: Query, statement: Statement) -> bool:
        return statement.kind is Kind.STREAM and (
            self._may_have_extremes or asks_for_totals(statement.sql, query.settings)
        )

    def _run(self, statement: Statement, query: Query) -> None:
        insert = read_insert(statement.sql) if statement.kind is Kind.INSERT else None
        if insert is not None:
            take_rows(
                self._session,
                insert,
                host=self._host,
                line=self._line,
                query_id=query.query_id,
            )
            self._tell_progress()
            return
        watcher = self._host.watcher
        with watcher.watching(self._line.connection, query.query_id) as watched:
            try:
                self._send_rows(self._parts(statement, query))
            except QueryError as error:
                if not (watched.cancelled and error.error_code == QUERY_WAS_CANCELLED):
                    raise

    def _parts(self, statement: Statement, query: Query) -> Parts:
        host = self._host
        if self._has_totals(query, statement):
            return parts_with_totals(self._session, statement.sql)
        ids = host.watcher.client_ids()
        sql = with_client_ids(statement.sql, ids, host.lexer)
        seen = Statement(sql=sql, kind=statement.kind)
        return result_parts(self._session, seen, host.shapes)

    def _send_rows(self, parts: Parts) -> None:
        writer, sent = self._line.writer, Sent()
        with closing(parts):
            for part in parts:
                if isinstance(part, bytes):
                    self._tell_progress()
                    protocol.write_block(writer, part)
                    sent.rows += row_count(part)
                    sent.blocks += 1
                    sent.bytes += len(part)
                elif isinstance(part, Beside):
                    packet = (
                        ServerPacket.TOTALS if part.is_totals else ServerPacket.EXTREMES
                    )
                    protocol.write_block(writer, part.block, packet)
                elif isinstance(part, BeforeLimit):
                    sent.rows_before_limit = part.rows
                else:
                    protocol.write_header(writer, part)
        protocol.write_profile_info(writer, sent)
        self._tell_progress()

    def _tell_progress(self) -> None:
        now = self._session.progress
        news = now.since(self._reported)
        if news != Progress():
            protocol.write_progress(self._line.writer, news)
            self._reported = now
