"""How much waits for ClickHouse, and when that is too much."""

import time
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from django.conf import settings
from django.db.models import Min, Sum
from django.utils import timezone

from analytics.errors import BacklogFullError
from analytics.metrics import INBOX_BACKLOG, INBOX_OLDEST, INBOX_PARKED
from analytics.models import IngestBatch, ParkedEvent, Shipment

# The sum is not computed for every POST.
MAX_AGE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    waiting_count: int
    oldest_received_at: datetime | None
    parked_count: int

    @property
    def oldest_s(self) -> float:
        if self.oldest_received_at is None:
            return 0.0
        return (timezone.now() - self.oldest_received_at).total_seconds()


def measure_backlog() -> Backlog:
    """Count what waits, and show it in the metrics."""
    # Two queries, each with an index of what waits: one with an "or" would read
    # every batch there ever was.
    batches = IngestBatch.objects.order_by()
    sums = [
        part.aggregate(count=Sum("accepted_count"), oldest=Min("received_at"))
        for part in (
            batches.unclaimed(),
            batches.filter(shipment__state=Shipment.State.WAITING),
        )
    ]
    oldest = [part["oldest"] for part in sums if part["oldest"] is not None]
    backlog = Backlog(
        waiting_count=sum(part["count"] or 0 for part in sums),
        oldest_received_at=min(oldest, default=None),
        parked_count=ParkedEvent.objects.count(),
    )
    INBOX_BACKLOG.set(backlog.waiting_count)
    INBOX_OLDEST.set(backlog.oldest_s)
    INBOX_PARKED.set(backlog.parked_count)
    return backlog


def check_backlog() -> None:
    """Refuse more events while too many wait; a second late at most."""
    if _recent.waiting_count() >= settings.INGEST_MAX_BACKLOG:
        raise BacklogFullError(
            f"{settings.INGEST_MAX_BACKLOG:,} accepted events wait to be stored."
            " None is lost; send more a little later."
        )


class _RecentCount:
    """The number of waiting events, as it was a moment ago."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._taken_s = float("-inf")

    def waiting_count(self) -> int:
        with self._lock:
            if time.monotonic() - self._taken_s > MAX_AGE_S:
                self._count = measure_backlog().waiting_count
                self._taken_s = time.monotonic()
            return self._count

    def forget(self) -> None:
        self._taken_s = float("-inf")


_recent = _RecentCount()
forget_backlog = _recent.forget
