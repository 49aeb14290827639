"""Notices clients that cancel or vanish while their query runs, and stops it.

It also knows the ids that clients gave to their queries, for KILL QUERY and
system.processes: the engine makes ids of its own, and which thread runs which query is
what both sides know.
"""

import re
import select
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from riskplatform.embedded.clickhouse.engine import Engine, quoted
from riskplatform.embedded.clickhouse.errors import QUERY_ID_IS_RUNNING, refusal
from riskplatform.embedded.clickhouse.lexemes import END, Lexeme, Lexer
from riskplatform.embedded.clickhouse.protocol import ClientPacket

POLL_INTERVAL_S = 0.1
_MENTIONS = re.compile(r"\bprocesses\b|\bkill\b", re.IGNORECASE)
IDS = frozenset({"query_id", "initial_query_id"})
BEFORE_TABLES = frozenset({"FROM", "JOIN"})
Replacement = tuple[int, int, str]


@dataclass(slots=True, kw_only=True)
class RunningQuery:
    connection: socket.socket
    native_thread_id: int
    query_id: str
    cancelled: bool = False


class Watcher:
    """One thread that looks at the sockets of running queries ten times a second."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._running: dict[int, RunningQuery] = {}
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._look_until_stopped, name="watcher", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._busy.set()
        self._thread.join()

    @contextmanager
    def watching(
        self, connection: socket.socket, query_id: str = ""
    ) -> Iterator[RunningQuery]:
        """Hold the calling thread's query under watch for the length of the block."""
        watched = RunningQuery(
            connection=connection,
            native_thread_id=threading.get_native_id(),
            query_id=query_id,
        )
        with self._lock:
            if query_id and query_id in self._ids().values():
                raise refusal(
                    f"Query with id = {query_id} is already running. Give each query "
                    "an id of its own.",
                    QUERY_ID_IS_RUNNING,
                )
            self._running[watched.native_thread_id] = watched
            self._busy.set()
        try:
            yield watched
        finally:
            # The lock keeps a late kill from hitting the thread's next query.
            with self._lock:
                del self._running[watched.native_thread_id]

    def client_ids(self) -> dict[int, str]:
        """Return the ids that clients gave to running queries, by native thread."""
        with self._lock:
            return self._ids()

    def kill_all(self) -> None:
        with self._lock:
            for watched in self._running.values():
                self._engine.kill_query_of(watched.native_thread_id)

    def _ids(self) -> dict[int, str]:
        return {
            it: query.query_id for it, query in self._running.items() if query.query_id
        }

    def _look_until_stopped(self) -> None:
        while not self._stopped.wait(POLL_INTERVAL_S):
            self._busy.wait()
            with self._lock:
                for watched in self._running.values():
                    if not watched.cancelled and _wants_out(watched.connection):
                        watched.cancelled = True
                        self._engine.kill_query_of(watched.native_thread_id)
                if not (self._running or self._stopped.is_set()):
                    self._busy.clear()


def _wants_out(connection: socket.socket) -> bool:
    # Not select(): a busy server has descriptors beyond its limit of 1024.
    poller = select.poll()
    poller.register(connection, select.POLLIN | select.POLLRDHUP)
    if not poller.poll(0):
        return False
    try:
        first = connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
    return first in {b"", bytes((ClientPacket.CANCEL,))}


def with_client_ids(sql: str, running: Mapping[int, str], lexer: Lexer) -> str:
    """Let a statement see and kill queries by their clients' ids.

    `running` has the id that a client gave by the native thread that runs the query.
    """
    if not running or _MENTIONS.search(sql) is None:
        return sql
    words = lexer.split(sql)
    kills = [it.keyword for it in words[:2]] == ["KILL", "QUERY"]
    found = _ids(words, running) if kills else _tables(words, running)
    content = sql.encode()
    for start, end, text in reversed(list(found)):
        content = content[:start] + text.encode() + content[end:]
    return content.decode()


def _ids(words: Sequence[Lexeme], running: Mapping[int, str]) -> Iterator[Replacement]:
    for word in words:
        if word.name in IDS:
            yield (
                word.start,
                word.start + len(word.text),
                _client_id(running, word.name),
            )


def _tables(
    words: Sequence[Lexeme], running: Mapping[int, str]
) -> Iterator[Replacement]:
    columns = ", ".join(f"{_client_id(running, it)} AS {it}" for it in sorted(IDS))
    table = f"(SELECT * REPLACE({columns}) FROM system.processes)"  # noqa: S608
    padded = [END, *words, END]
    for before, database, dot, name, after in zip(
        padded, padded[1:], padded[2:], padded[3:], padded[4:], strict=False
    ):
        is_table = before.keyword in BEFORE_TABLES or before.kind == "Comma"
        names = (database.name, dot.text, name.name)
        if is_table and names == ("system", b".", "processes") and after.kind != "Dot":
            yield database.start, name.start + len(name.text), table


def _client_id(running: Mapping[int, str], otherwise: str) -> str:
    cases = ", ".join(
        f"has(thread_ids, {thread}), {quoted(query_id)}"
        for thread, query_id in running.items()
    )
    return f"multiIf({cases}, {otherwise})"
