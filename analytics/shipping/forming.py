"""Forms shipments: which batches go to ClickHouse together is written once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from analytics.models import IngestBatch, Shipment

MAX_ROWS = 50_000
# Small batches wait this long for company: each insert costs a part on the disk.
LINGER = timedelta(seconds=1)
SCANNED_BATCHES = 5_000


def form_shipments(*, linger: timedelta = LINGER) -> int:
    """Put batches that wait into shipments; safe to run in several processes."""
    # What arrives while this forms shipments is left to the next round.
    formed_count, before = 0, timezone.now() - linger
    while chosen := _choose_batches(before):
        formed_count += _form(chosen)
    return formed_count


def _choose_batches(before: datetime) -> Sequence[UUID]:
    """Choose the oldest batches, if they fill a shipment or have waited enough."""
    waiting = (
        IngestBatch.objects.unclaimed()
        .order_by("received_at", "pk")
        .values_list("pk", "accepted_count", "received_at")[:SCANNED_BATCHES]
    )
    chosen: list[UUID] = []
    row_count, oldest = 0, None
    for key, accepted_count, received_at in waiting:
        if chosen and row_count + accepted_count > MAX_ROWS:
            return chosen
        oldest = oldest or received_at
        chosen.append(key)
        row_count += accepted_count
    return chosen if oldest is not None and oldest <= before else ()


@transaction.atomic
def _form(batch_ids: Sequence[UUID]) -> int:
    """Form one shipment of what no other process has taken meanwhile."""
    shipment = Shipment.objects.create()
    unclaimed = IngestBatch.objects.filter(pk__in=batch_ids, shipment=None)
    if not unclaimed.update(shipment=shipment):
        shipment.delete()
        return 0
    taken = shipment.batches.order_by().aggregate(count=Sum("accepted_count"))
    shipment.row_count = taken["count"]
    shipment.save(update_fields=("row_count",))
    return 1
