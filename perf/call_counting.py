"""Counts the statements of every database for the request or job that is at work."""

import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from riskplatform.kernel.calls import current_calls


def count_statements() -> None:
    """Have every connection made from now on counted."""
    connection_created.connect(_count_on, dispatch_uid="call-counting")


def _count_on(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _execute not in connection.execute_wrappers:
        connection.execute_wrappers.append(_execute)


def _execute(
    execute: Callable[..., Any],
    sql: Any,
    params: Any,
    many: bool,  # noqa: FBT001 - Django passes it by position
    context: dict[str, Any],
) -> Any:
    calls = current_calls.get()
    if calls is None:
        return execute(sql, params, many, context)
    started_s = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        is_clickhouse = context["connection"].vendor == "clickhouse"
        kind = "clickhouse" if is_clickhouse else "database"
        # Values are bound apart from the text.
        statement = sql if isinstance(sql, str) else ""
        calls.add(kind, time.perf_counter() - started_s, statement)
