"""The ClickHouse engine in this process: one folder, one session per client."""

import json
import logging
import os
from collections.abc import Generator, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from riskplatform.embedded.clickhouse.errors import (
    UNKNOWN_SETTING,
    QueryError,
    query_error,
    refusal,
)
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

OWN_SETTINGS = "SELECT name, value, changed FROM system.settings"
# What a server has and the command line engine has not.
SERVER_LIKE = "SET implicit_select = 0, max_execution_time = {max_execution_s}"


class ColumnHeader(NamedTuple):
    name: str
    type_name: str


class Progress(NamedTuple):
    """What a statement has read and written so far, in the order of the protocol."""

    read_rows: int = 0
    read_bytes: int = 0
    total_rows_to_read: int = 0
    written_rows: int = 0
    written_bytes: int = 0

    def since(self, earlier: "Progress") -> "Progress":
        """Return what came after `earlier`; clients add up what they receive."""
        pairs = zip(self, earlier, strict=True)
        return Progress(*(max(0, now - before) for now, before in pairs))


class Session:
    """A client's own current database, settings and temporary tables."""

    def __init__(self, location: str, *, max_execution_s: int) -> None:
        self.progress = Progress()
        try:
            self._connection: Any = Connection(location)
        except RuntimeError as error:
            folder = location.partition("?")[0]
            raise EmbeddedServerError(
                f"The ClickHouse data in {folder} cannot be opened: {error} Another "
                "process may use the folder; stop it or choose another --data.",
                folder=folder,
            ) from error
        self._connection.set_progress_callback(self._note_progress)
        self.execute(SERVER_LIKE.format(max_execution_s=max_execution_s))

    def execute(self, sql: str, output_format: str = "Native") -> bytes:
        """Run to the end and return the whole answer."""
        self.progress = Progress()
        with _engine_errors():
            content: bytes = self._connection.query(sql, output_format).bytes()
        return content

    def stream(
        self, sql: str, output_format: str = "Native"
    ) -> Generator[bytes, None, None]:
        """Yield blocks as the engine makes them; closing stops the query.

        The session can run nothing else until the generator is done or closed.
        """
        self.progress = Progress()
        with _engine_errors():
            result = self._connection.send_query(sql, output_format)
            try:
                for chunk in result:
                    yield chunk.bytes()
            finally:
                result.cancel()

    def describe(self, source: str) -> list[ColumnHeader]:
        """Names and types of `TABLE name` or of `(query)`, without running it."""
        sql = f"DESCRIBE {source} SETTINGS print_pretty_type_names = 0"
        with self.aside():
            lines = self.execute(sql, "JSONCompactEachRow").splitlines()
        return [ColumnHeader(*row[:2]) for row in map(json.loads, lines)]

    def describe_query(self, sql: str) -> list[ColumnHeader]:
        # A line comment may end the statement.
        return self.describe(f"({sql}\n)")

    def header(self, sql: str) -> list[ColumnHeader]:
        """Run a reading statement again for its header alone."""
        answer = self.execute(sql, "JSONCompact")
        meta = json.loads(answer)["meta"] if answer else []
        return [ColumnHeader(column["name"], column["type"]) for column in meta]

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
        self.progress = Progress(*(counts[name] for name in Progress._fields))


class Engine:
    """Holds the folder open and stops queries of other threads."""

    def __init__(
        self, folder: Path, *, configuration: Path, max_execution_s: int
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._location = f"{folder}?config-file={configuration}"
        self._max_execution_s = max_execution_s
        self._control = self._open_control(folder / "metadata")
        self.version = self._scalar("SELECT version()")
        self.timezone = self._scalar("SELECT timezone()")

    def open_session(self) -> Session:
        return Session(self._location, max_execution_s=self._max_execution_s)

    def create_database(self, name: str) -> None:
        self._control.execute(f"CREATE DATABASE IF NOT EXISTS {quoted_name(name)}")

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

    def _open_control(self, metadata: Path) -> Session:
        """Make `default` the database of a server: here it would read files by name.

        The engine lays it over its tables at every start, so that is taken away again.
        """
        link = metadata / "default"
        (metadata / "default.sql").unlink(missing_ok=True)
        control = self.open_session()
        control.execute("DETACH DATABASE default")
        if link.is_symlink():
            tables = link.readlink().name
            control.execute(f"ATTACH DATABASE default UUID '{tables}' ENGINE = Atomic")
        else:
            control.execute("CREATE DATABASE default ENGINE = Atomic")
        return control

    def _scalar(self, sql: str) -> str:
        return self._control.execute(sql, "TSVRaw").decode().strip()


class QuerySettings:
    """Keeps a session's settings equal to those of the next query.

    Clients repeat the same settings with every query, so what is in force stays until
    a query sets something else; then the session's own value comes back.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._in_force: dict[str, str] = {}
        self._own: dict[str, str] = {}

    def apply(
        self, wanted: Mapping[str, str], important: Set[str] = frozenset()
    ) -> None:
        """Have these settings in force; one that is important has to be known."""
        known = self._known(wanted, important)
        if known == self._in_force:
            return
        before = self._in_force
        gone = {name: self._own[name] for name in before if name not in known}
        self._assign(gone)
        self._in_force = {n: v for n, v in before.items() if n not in gone}
        # One SET for all: a wrong value keeps every one of them out.
        self._assign({n: quoted(v) for n, v in known.items() if before.get(n) != v})
        self._in_force = known

    def forget(self) -> None:
        """Give the session its own settings back, for a SET to change them."""
        self.apply({})
        self._own.clear()

    def _known(self, wanted: Mapping[str, str], important: Set[str]) -> dict[str, str]:
        self._look_up([name for name in wanted if name not in self._own])
        for name in wanted.keys() - self._own.keys():
            if name in important:
                raise refusal(f"Unknown setting '{name}'", UNKNOWN_SETTING)
            logger.warning("unknown setting ignored: %s", name)
        return {name: value for name, value in wanted.items() if name in self._own}

    def _look_up(self, names: list[str]) -> None:
        if not names:
            return
        listed = ", ".join(map(quoted, names))
        answer = self._session.execute(
            f"{OWN_SETTINGS} WHERE name IN ({listed})", "JSONCompactEachRow"
        )
        for name, value, changed in map(json.loads, answer.splitlines()):
            self._own[name] = quoted(value) if changed else "DEFAULT"

    def _assign(self, values: Mapping[str, str]) -> None:
        if values:
            joined = ", ".join(f"{name} = {value}" for name, value in values.items())
            self._session.execute(f"SET {joined}")


def quoted(text: str) -> str:
    """Write a text as a literal of a statement."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def quoted_name(name: str) -> str:
    """Write a name as an identifier of a statement."""
    return "`{}`".format(name.replace("`", "``"))


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except ChdbError as error:
        raise query_error(str(error)) from None
