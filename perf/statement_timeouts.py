"""Sets how long a statement may take in PostgreSQL: the time that its request has left.

The timeout belongs to the session and is set when another step of the ladder is due,
so that a request of the usual length costs no statement of its own. In a transaction
it is set for that transaction alone, because a rollback would undo it anyway.

A server that hangs does not notice; the connection waits for it a little longer than
that, and gives up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from perf.deadlines import remaining_s

STEPS_MS = (250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000)
# The server's own default, and what is known of nothing.
NO_STEP = 0
UNKNOWN = -1
# The server may be late with cancelling a statement by this time.
GRACE_S = 2.0
IDLE = 0  # libpq's PQTRANS_IDLE: no transaction is at work


@dataclass(slots=True)
class _Known:
    """The step of a session, and the one of its transaction where it has its own."""

    session_ms: int = NO_STEP
    transaction_ms: int | None = None


class StatementTimeouts:
    """An execute wrapper of Django: looks at the time left before each statement."""

    def __init__(self) -> None:
        # By the session, which may pass from thread to thread through a pool.
        self._known: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()

    def install(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        """Watch a connection; a receiver of `connection_created`."""
        is_watched = self in connection.execute_wrappers
        if connection.vendor == "postgresql" and not is_watched:
            connection.execute_wrappers.append(self)

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: Any,
        params: Any,
        many: bool,  # noqa: FBT001 - Django passes it by position
        context: dict[str, Any],
    ) -> Any:
        connection = context["connection"]
        known = self._of(connection.connection)
        if _goes_back(sql):
            # What the transaction had set since the savepoint is undone.
            known.transaction_ms = UNKNOWN
        elif not connection.needs_rollback:
            self._adjust(connection, known)
        return execute(sql, params, many, context)

    def _of(self, session: Any) -> _Known:
        known = self._known.get(session)
        if known is None:
            known = self._known[session] = _Known()
        if session.pgconn.transaction_status == IDLE:
            known.transaction_ms = None
        return known

    def _adjust(self, connection: Any, known: _Known) -> None:
        wanted_ms = step_ms(remaining_s())
        connection.connection.wait_limit_s = (
            None if wanted_ms == NO_STEP else wanted_ms / 1_000 + GRACE_S
        )
        is_local = connection.in_atomic_block or not connection.get_autocommit()
        has_ms = known.session_ms
        if known.transaction_ms is not None:
            has_ms = known.transaction_ms
        if has_ms == wanted_ms:
            return
        scope = "LOCAL" if is_local else "SESSION"
        with connection.wrap_database_errors:
            value = "DEFAULT" if wanted_ms == NO_STEP else str(wanted_ms)
            connection.connection.execute(f"SET {scope} statement_timeout TO {value}")
        if is_local:
            known.transaction_ms = wanted_ms
        else:
            known.session_ms = wanted_ms


def step_ms(left_s: float | None) -> int:
    """Give the first step that is not shorter than the time left.

    Without time a statement gets the shortest: it may be one that cleans up.
    """
    if left_s is None:
        return NO_STEP
    left_ms = 1_000 * left_s
    return next((step for step in STEPS_MS if step >= left_ms), STEPS_MS[-1])


def watch_statements() -> None:
    """Have every connection made from now on watched, where settings allow it."""
    if not settings.CONNECTION_POLICY.is_behind_pgbouncer:
        connection_created.connect(_timeouts.install, dispatch_uid="statement-timeouts")


def _goes_back(sql: Any) -> bool:
    return isinstance(sql, str) and sql.startswith("ROLLBACK TO SAVEPOINT")


_timeouts = StatementTimeouts()
