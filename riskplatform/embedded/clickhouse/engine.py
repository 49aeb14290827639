"""The ClickHouse engine in this process: one folder, one session per client."""

import json
import logging
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskplatform.embedded.clickhouse.errors import QueryError, query_error
from riskplatform.embedded.errors import EmbeddedServerError

# Servers keep UTC; the engine reads the zone of the machine once, when it is loaded.
os.environ["TZ"] = "UTC"
try:
    from chdb import ChdbError
    from chdb.state.sqlitelike import Connection
except ImportError as error:
    raise SystemExit(
        f"The embedded ClickHouse engine is not installed ({error}). "
        "Install riskplatform[embedded], or set CLICKHOUSE_URL to a server."
    ) from error

logger = logging.getLogger(__name__)

# What a server has and the command line engine has not.
SERVER_LIKE = "SET implicit_select = 0, max_execution_time = {max_execution_s}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnHeader:
    name: str
    type_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a statement has read and written so far."""

    rows: int = 0
    bytes: int = 0
    total_rows: int = 0
    written_rows: int = 0
    written_bytes: int = 0

    def since(self, earlier: "Progress") -> "Progress":
        """Return what came after `earlier`; clients add up what they receive."""
        return Progress(
            rows=self.rows - earlier.rows,
            bytes=self.bytes - earlier.bytes,
            total_rows=max(0, self.total_rows - earlier.total_rows),
            written_rows=self.written_rows - earlier.written_rows,
            written_bytes=self.written_bytes - earlier.written_bytes,
        )


class Session:
    """A client's own current database, settings and temporary tables."""

    def __init__(self, location: str, *, max_execution_s: int) -> None:
        self.progress = Progress()
        self._connection: Any = _connect(location)
        self._connection.set_progress_callback(self._note_progress)
        self.execute(SERVER_LIKE.format(max_execution_s=max_execution_s))

    def execute(self, sql: str, output_format: str = "Native") -> bytes:
        """Run to the end and return the whole answer."""
        self.progress = Progress()
        try:
            content: bytes = self._connection.query(sql, output_format).bytes()
        except ChdbError as error:
            raise query_error(str(error)) from None
        return content

    def stream(
        self, sql: str, output_format: str = "Native"
    ) -> Generator[bytes, None, None]:
        """Yield blocks as the engine makes them; closing stops the query.

        The session can run nothing else until the generator is done or closed.
        """
        self.progress = Progress()
        try:
            result = self._connection.send_query(sql, output_format)
        except ChdbError as error:
            raise query_error(str(error)) from None
        try:
            yield from _chunks(result)
        finally:
            result.cancel()

    def describe(self, source: str) -> list[ColumnHeader]:
        """Names and types of `TABLE name` or of `(query)`, without running it."""
        sql = f"DESCRIBE {source} SETTINGS print_pretty_type_names = 0"
        with self.aside():
            lines = self.execute(sql, "JSONCompactEachRow").splitlines()
        return [
            ColumnHeader(name=row[0], type_name=row[1])
            for row in map(json.loads, lines)
        ]

    def describe_query(self, sql: str) -> list[ColumnHeader]:
        # A line comment may end the statement.
        return self.describe(f"({sql}\n)")

    def describe_columns(self, columns: str, target: str) -> list[ColumnHeader]:
        # The client's own statement, described instead of run.
        return self.describe(" ".join(("(SELECT", columns, "FROM", target, ")")))

    def header(self, sql: str) -> list[ColumnHeader]:
        """Run a reading statement again for its header alone."""
        answer = self.execute(sql, "JSONCompact")
        meta = json.loads(answer)["meta"] if answer else []
        return [ColumnHeader(name=it["name"], type_name=it["type"]) for it in meta]

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Run statements of the server's own, which are no progress of the client's."""
        progress = self.progress
        try:
            yield
        finally:
            self.progress = progress

    def close(self) -> None:
        self._connection.set_progress_callback(None)
        self._connection.close()

    def _note_progress(self, counts: dict[str, int]) -> None:
        # Called by a thread of the engine: only one assignment, no socket.
        self.progress = Progress(
            rows=counts["read_rows"],
            bytes=counts["read_bytes"],
            total_rows=counts["total_rows_to_read"],
            written_rows=counts["written_rows"],
            written_bytes=counts["written_bytes"],
        )


class Engine:
    """Holds the folder open and stops queries of other threads."""

    def __init__(
        self, folder: Path, *, configuration: Path, max_execution_s: int
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._location = f"{folder}?config-file={configuration}"
        self._max_execution_s = max_execution_s
        self._metadata = folder / "metadata"
        self._control = self._open_control()
        self.version = self._scalar("SELECT version()")
        self.timezone = self._scalar("SELECT timezone()")

    def open_session(self) -> Session:
        return Session(self._location, max_execution_s=self._max_execution_s)

    def _open_control(self) -> Session:
        """Make `default` the database of a server: here it would read files by name.

        The engine lays it over its tables at every start, so that is taken away again.
        """
        link = self._metadata / "default"
        (self._metadata / "default.sql").unlink(missing_ok=True)
        control = self.open_session()
        control.execute("DETACH DATABASE default")
        if link.is_symlink():
            tables = link.readlink().name
            control.execute(f"ATTACH DATABASE default UUID '{tables}' ENGINE = Atomic")
        else:
            control.execute("CREATE DATABASE default ENGINE = Atomic")
        return control

    def create_database(self, name: str) -> None:
        quoted = name.replace("`", "``")
        self._control.execute(f"CREATE DATABASE IF NOT EXISTS `{quoted}`")

    def kill_query_of(self, native_thread_id: int) -> None:
        """Stop what that thread runs; the thread sees the query fail."""
        try:
            self._control.execute(
                f"KILL QUERY WHERE has(thread_ids, {native_thread_id}) ASYNC"
            )
        except QueryError:
            logger.exception("a query could not be stopped")

    def close(self) -> None:
        self._control.close()

    def _scalar(self, sql: str) -> str:
        return self._control.execute(sql, "TSVRaw").decode().strip()


def _connect(location: str) -> Any:
    try:
        return Connection(location)
    except RuntimeError as error:
        folder = location.partition("?")[0]
        raise EmbeddedServerError(
            f"The ClickHouse data in {folder} cannot be opened: {error} "
            "Another process may use the folder; stop it or choose another --data.",
            folder=folder,
        ) from error


def _chunks(result: Any) -> Iterator[bytes]:
    try:
        for chunk in result:
            yield chunk.bytes()
    except ChdbError as error:
        raise query_error(str(error)) from None
