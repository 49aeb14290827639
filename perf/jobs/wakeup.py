"""Wakes a loop of a worker when a transaction commits, where the database can do so.

A call that gets lost costs time and no work: the loop looks by itself as well.
"""

import time

from django.db import connection

# A loop looks again sooner than this after it has found work, so what comes meanwhile
# needs no call of its own; commits that call wait for one another.
SILENT_FOR_S = 0.1
# How long a loop waits for a call.
POLL_S = 0.5

_called_s: dict[str, float] = {}


def call(channel: str) -> None:
    """Wake who listens when the transaction at work commits; PostgreSQL only."""
    now_s = time.monotonic()
    is_due = now_s - _called_s.get(channel, float("-inf")) >= SILENT_FOR_S
    if connection.vendor == "postgresql" and is_due:
        _called_s[channel] = now_s
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {channel}")


def listen(channel: str) -> bool:
    """Listen for wake-ups, on PostgreSQL only; again for a new connection."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {channel}")
    return True


def wait_for_call() -> None:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        for _ in connection.connection.notifies(timeout=POLL_S, stop_after=1):
            pass
