"""Forms shipments: which batches go to ClickHouse together is written once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from analytics.models import IngestBatch, Shipment

MAX_ROWS = 50_000
SCANNED_BATCHES = 5_000


def form_shipments() -> int:
    """Put batches that wait into shipments; safe to run in several processes."""
    # What arrives while this forms shipments is left to the next round.
    formed_count, before = 0, timezone.now()
    while chosen := _choose_batches(before):
        formed_count += _form(chosen)
    return formed_count


def _choose_batches(before: datetime) -> Sequence[UUID]:
    """Choose the oldest batches that came before then, as many as fill a shipment."""
    waiting = (
        IngestBatch.objects.unclaimed()
        .filter(received_at__lte=before)
        .order_by("received_at", "pk")
        .values_list("pk", "accepted_count")[:SCANNED_BATCHES]
    )
    chosen: list[UUID] = []
    row_count = 0
    for key, accepted_count in waiting:
        row_count += accepted_count
        if chosen and row_count > MAX_ROWS:
            break
        chosen.append(key)
    return chosen


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
