"""Takes events that were shipped long ago out of the inbox.

What is left of a version is its identity, its position in ClickHouse and a digest of
its values: so what comes again is still a repetition, a correction still withdraws what
it corrects, and a retraction stays final, for ever. What is left of a batch are its
counts. What waits or is parked is not touched.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connections, router, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from analytics.inbox.bulk import Value, insert_rows
from analytics.inbox.versions import digest_of
from analytics.metrics import PRUNED_EVENTS
from analytics.models import (
    InboxEvent,
    IngestBatch,
    ParkedEvent,
    RefusedEvent,
    SettledEvent,
    Shipment,
)
from analytics.models.inbox import IngestBatchQuerySet

SETTLED_COLUMNS = (
    *("source_id", "external_id", "version", "received_ms", "is_retracted"),
    *("region", "cell", "occurred_ms", "facts_digest"),
)
FIELDS = (
    *("source_id", "external_id", "version", "received_ms", "is_retracted"),
    *("region", "cell"),
    *("occurred_ms", "lat", "lon", "event_type", "severity", "amount", "attributes"),
)


class PruningReport(NamedTuple):
    batch_count: int = 0
    event_count: int = 0
    refused_count: int = 0


def retention() -> timedelta:
    """Give how long shipped events stay in the inbox as a whole."""
    return timedelta(days=settings.INGEST_INBOX_RETENTION_DAYS)


def prune_inbox(
    *, shipped_before: datetime, max_batches: int | None = None
) -> PruningReport:
    """Prune batches, the oldest first, each in a transaction of its own.

    Safe to interrupt, to repeat and to run several times at once.
    """
    keys = prunable(shipped_before).order_by("received_at", "pk")
    chosen = list(keys.values_list("pk", flat=True)[:max_batches])
    pruned = [counts for key in chosen if (counts := _prune(key)) is not None]
    return PruningReport(
        batch_count=len(pruned),
        event_count=sum(event_count for event_count, _ in pruned),
        refused_count=sum(refused_count for _, refused_count in pruned),
    )


def prunable(shipped_before: datetime) -> IngestBatchQuerySet:
    """Choose batches all of whose events are in ClickHouse since before then."""
    parked = ParkedEvent.objects.filter(event__batch=OuterRef("pk"))
    is_shipped = Q(
        shipment__state=Shipment.State.SHIPPED,
        shipment__shipped_at__lt=shipped_before,
    )
    return IngestBatch.objects.filter(
        Q(accepted_count=0) | is_shipped,
        ~Exists(parked),
        pruned_at=None,
        received_at__lt=shipped_before,
    )


@transaction.atomic
def _prune(key: UUID) -> tuple[int, int] | None:
    """Prune a batch, unless another process does; count events and refused rows."""
    mine = IngestBatch.objects.filter(pk=key, pruned_at=None)
    if not mine.update(pruned_at=timezone.now()):
        return None
    events = InboxEvent.objects.filter(batch=key).order_by("pk").values_list(*FIELDS)
    insert_rows(SettledEvent, SETTLED_COLUMNS, _settled(list(events)))
    event_count = _delete_events(key)
    refused_count, _ = RefusedEvent.objects.filter(batch=key).delete()
    transaction.on_commit(lambda: PRUNED_EVENTS.inc(event_count))
    return event_count, refused_count


def _settled(events: Sequence[Sequence[Any]]) -> Iterator[Sequence[Value]]:
    for source_id, external_id, version, received_ms, is_retracted, *rest in events:
        region, cell, *values = rest
        yield (
            *(source_id, external_id, version, received_ms, is_retracted),
            *(region, cell, values[0], digest_of(tuple(values))),
        )


def _delete_events(key: UUID) -> int:
    """Delete without reading each row first, as the ORM would for what is parked."""
    connection = connections[router.db_for_write(InboxEvent)]
    stored = key if connection.features.has_native_uuid_field else key.hex
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM analytics_inboxevent WHERE batch_id = %s", [stored])
        count: int = cursor.rowcount
    return count
