"""Sets how long a statement may take in PostgreSQL: the time that its request has left.

The timeout belongs to the session and is set when another step of the ladder is due,
so that a request of the usual length costs no statement of its own. In a transaction
it is set for that transaction alone, because a rollback would undo it anyway.

A server that hangs does not notice; the connection waits for it a little longer than
that, and gives up.
"""

from collections.abc import Callable
from typing import Any

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
        connection_created.connect(_watch, dispatch_uid="statement-timeouts")


def _watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    is_watched = _execute in connection.execute_wrappers
    if connection.vendor == "postgresql" and not is_watched:
        connection.execute_wrappers.append(_execute)


def _execute(
    execute: Callable[..., Any],
    sql: Any,
    params: Any,
    many: bool,  # noqa: FBT001 - Django passes it by position
    context: dict[str, Any],
) -> Any:
    """Look at the time left before each statement; an execute wrapper of Django."""
    connection = context["connection"]
    # A pool passes sessions from thread to thread, so what is set is noted on them.
    session = connection.connection
    if session.pgconn.transaction_status == IDLE:
        session.transaction_step_ms = None
    if isinstance(sql, str) and sql.startswith("ROLLBACK TO SAVEPOINT"):
        # What the transaction had set since the savepoint is undone.
        session.transaction_step_ms = UNKNOWN
    elif not connection.needs_rollback:
        _adjust(connection, session)
    return execute(sql, params, many, context)


def _adjust(connection: Any, session: Any) -> None:
    wanted_ms = step_ms(remaining_s())
    session.wait_limit_s = None if wanted_ms == NO_STEP else wanted_ms / 1e3 + GRACE_S
    has_ms = getattr(session, "transaction_step_ms", None)
    if has_ms is None:
        has_ms = getattr(session, "session_step_ms", NO_STEP)
    if has_ms == wanted_ms:
        return
    is_local = connection.in_atomic_block or not connection.get_autocommit()
    scope = "LOCAL" if is_local else "SESSION"
    value = "DEFAULT" if wanted_ms == NO_STEP else str(wanted_ms)
    with connection.wrap_database_errors:
        session.execute(f"SET {scope} statement_timeout TO {value}")
    if is_local:
        session.transaction_step_ms = wanted_ms
    else:
        session.session_step_ms = wanted_ms
