"""Taking an INSERT: a sample for the client, a file of its rows, one statement.

Rows are on the file system before the client gets an answer, so they survive the death
of this process; with --fsync they are on the disk and survive a power cut too.
"""

from riskplatform.embedded.clickhouse import protocol
from riskplatform.embedded.clickhouse.engine import ColumnHeader, Session
from riskplatform.embedded.clickhouse.errors import NO_SUCH_COLUMN, refusal
from riskplatform.embedded.clickhouse.host import Host
from riskplatform.embedded.clickhouse.incoming import check_receivable, received_file
from riskplatform.embedded.clickhouse.insertstatement import InsertStatement
from riskplatform.embedded.clickhouse.wire import Line


def take_rows(
    session: Session, insert: InsertStatement, *, host: Host, line: Line, query_id: str
) -> None:
    """Insert what the client sends, all of it or, if it breaks off, none of it."""
    host.guard.check(insert.without_rows)
    columns = _sample_columns(session, insert)
    check_receivable(columns)
    protocol.write_header(line.writer, columns)
    line.writer.flush()
    with received_file(line.reader, host.incoming) as path:
        if path is not None:
            with host.watcher.watching(line.connection, query_id):
                session.execute(insert.reading(str(path)))


def _sample_columns(session: Session, insert: InsertStatement) -> list[ColumnHeader]:
    """Return the columns the client has to send, in the order it named them."""
    if not insert.columns:
        return session.describe_columns("*", insert.target)
    names = insert.column_names
    if names is None:
        wanted = insert.columns.removeprefix("(").removesuffix(")")
        return session.describe_columns(wanted, insert.target)
    types = {
        column.name: column for column in session.describe(f"TABLE {insert.target}")
    }
    missing = next((name for name in names if name not in types), None)
    if missing is not None:
        raise refusal(
            f"No such column {missing} in table {insert.target}", NO_SUCH_COLUMN
        )
    return [types[name] for name in names]
