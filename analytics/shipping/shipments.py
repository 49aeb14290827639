"""Shipments: which batches go to ClickHouse together, and their rows.

Both are the same at every attempt: what belongs to a shipment is written once.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from analytics.grid import unit_of
from analytics.models import EventSource, InboxEvent, IngestBatch, Shipment

MAX_ROWS = 50_000
SCANNED_BATCHES = 5_000
FIELDS = (
    *("pk", "source_id", "external_id", "version", "is_retracted", "region", "cell"),
    *("occurred_ms", "received_ms", "lat", "lon", "event_type", "severity", "amount"),
    *("attributes", "previous_region", "previous_cell", "previous_occurred_ms"),
)
COLUMNS = (
    *("region", "cell", "occurred_at", "ingested_at", "event_type", "source"),
    *("external_id", "lat_e7", "lon_e7", "severity", "amount", "attributes"),
    *("version", "is_deleted"),
)


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


class ShippedRow(NamedTuple):
    """One accepted event: its key in the inbox, and what it is in ClickHouse.

    That is one row; two, where the version before stood elsewhere in the order.
    """

    event_id: int
    entries: tuple[tuple[object, ...], ...]


def read_rows(shipment: Shipment) -> list[ShippedRow]:
    """Read the rows in an order that is the same at every attempt."""
    batch_ids = list(shipment.batches.order_by().values_list("pk", flat=True))
    events = InboxEvent.objects.filter(batch__in=batch_ids)
    return rows_of(events.order_by("batch_id", "row_index"))


def rows_of(events: QuerySet[InboxEvent]) -> list[ShippedRow]:
    rows = list(events.values_list(*FIELDS))
    names = _source_names({source_id for _, source_id, *_ in rows})
    return [_shipped(names[source_id], key, rest) for key, source_id, *rest in rows]


def columns_of(rows: Sequence[ShippedRow]) -> dict[str, Sequence[object]]:
    entries = [entry for row in rows for entry in row.entries]
    return dict(zip(COLUMNS, zip(*entries, strict=True), strict=True))


def _source_names(source_ids: Collection[int]) -> dict[int, str]:
    """Name sources so that those of two organisations cannot be confused."""
    sources = EventSource.objects.filter(pk__in=source_ids)
    named = sources.values_list("pk", "organisation__slug", "name")
    return {key: f"{owner}/{name}" for key, owner, name in named}


def _shipped(source: str, event_id: int, values: Sequence[object]) -> ShippedRow:
    external_id, version, is_retracted, *position, occurred_ms, received_ms = values[:7]
    lat, lon, event_type, severity, amount, attributes, *left = values[7:]
    known = orjson.loads(str(attributes)) if attributes else {}
    values_sent = (
        *(received_ms, event_type, source, external_id),
        *(unit_of(cast("float", lat)), unit_of(cast("float", lon))),
        *(severity, amount, known, version),
    )
    entry = (*position, occurred_ms, *values_sent, int(bool(is_retracted)))
    has_moved = left[-1] is not None
    entries = (entry, (*left, *values_sent, 1)) if has_moved else (entry,)
    return ShippedRow(event_id, entries)
