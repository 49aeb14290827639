"""Wakes a loop of a worker when a transaction commits, where the database can do so.

A call that gets lost costs time and no work: the loop looks by itself as well.
"""

import time
from threading import Lock

from django.db import DEFAULT_DB_ALIAS, connections

# A loop looks again sooner than this after it has found work, so what comes meanwhile
# needs no call of its own; commits that call wait for one another.
SILENT_FOR_S = 0.1
# How long a loop waits for a call.
POLL_S = 0.5

_called_s: dict[str, float] = {}
_lock = Lock()


def call(channel: str) -> None:
    """Wake who listens when the transaction at work commits; PostgreSQL only."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql" and _is_due(channel):
        with database.cursor() as cursor:
            cursor.execute(f"NOTIFY {channel}")


def listen(channel: str) -> bool:
    """Listen for wake-ups, on PostgreSQL only; again for a new connection."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return False
    with database.cursor() as cursor:
        cursor.execute(f"LISTEN {channel}")
    return True


def wait_for_call() -> None:
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    with database.wrap_database_errors:
        for _ in database.connection.notifies(timeout=POLL_S, stop_after=1):
            pass


def _is_due(channel: str) -> bool:
    with _lock:
        now_s = time.monotonic()
        is_due = now_s - _called_s.get(channel, float("-inf")) >= SILENT_FOR_S
        if is_due:
            _called_s[channel] = now_s
        return is_due
