"""Wakes the shipper when a batch is committed, where the database can do so."""

import time
from threading import Lock

from django.db import connections, router

from analytics.models import IngestBatch

CHANNEL = "analytics_inbox"
# The shipper looks again sooner than this after each shipment, so what is accepted
# meanwhile needs no call of its own; commits that call wait for one another.
SILENT_FOR_S = 0.1


def announce() -> None:
    """Call the shipper when the transaction commits; PostgreSQL only.

    A call that gets lost costs time and no event: the shipper looks by itself as well.
    """
    connection = connections[router.db_for_write(IngestBatch)]
    if connection.vendor == "postgresql" and _calls.is_due():
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


class _Calls:
    """Remembers when this process last called."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last_s = float("-inf")

    def is_due(self) -> bool:
        with self._lock:
            now_s = time.monotonic()
            is_due = now_s - self._last_s >= SILENT_FOR_S
            if is_due:
                self._last_s = now_s
            return is_due


_calls = _Calls()
