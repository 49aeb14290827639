"""Waits for the next batch: until the database calls, or for a while."""

import threading

from django.db import connections, router

from analytics.inbox.wakeup import CHANNEL
from analytics.models import IngestBatch

# The safety net where calls come, and the whole net where none do.
POLL_WITH_CALLS_S = 0.5
POLL_S = 0.2


class Waiter:
    """Waits on PostgreSQL for a call, elsewhere for the time of a poll."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._listening: object = None

    def listen(self) -> None:
        """Be called from here on; a connection that is new has to be told."""
        connection = connections[router.db_for_write(IngestBatch)]
        if connection.vendor != "postgresql":
            return
        connection.ensure_connection()
        if connection.connection is not self._listening:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._listening = connection.connection

    def wait(self) -> None:
        connection = connections[router.db_for_write(IngestBatch)]
        if connection.vendor != "postgresql" or connection.connection is None:
            self._stopping.wait(POLL_S)
            return
        with connection.wrap_database_errors:
            calls = connection.connection.notifies(
                timeout=POLL_WITH_CALLS_S, stop_after=1
            )
            for _ in calls:
                pass
