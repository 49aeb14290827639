"""Reads: what became of every row that was ever posted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet, Sum

from analytics.errors import BatchNotFoundError
from analytics.models import (
    InboxEvent,
    IngestBatch,
    ParkedEvent,
    RefusedEvent,
    Shipment,
)
from analytics.models.inbox import IngestBatchQuerySet
from riskplatform.api.keys.models import Organisation

Row = dict[str, Any]

# Sources are named by clients: there may be any number.
MOST_COUNTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSummary:
    batch_id: UUID
    received_at: datetime
    row_count: int
    accepted_count: int
    duplicate_count: int
    refused_count: int
    waiting_count: int
    parked_count: int
    shipped_at: datetime | None

    @property
    def stored_count(self) -> int:
        return self.accepted_count - self.waiting_count - self.parked_count


def get_post(organisation: Organisation, batch_id: UUID) -> PostSummary:
    """Sum a POST up, in three queries."""
    batches = _batches(organisation, batch_id)
    sums = batches.aggregate(
        received_at=Min("received_at"),
        row_count=Sum("row_count"),
        accepted_count=Sum("accepted_count"),
        duplicate_count=Sum("duplicate_count"),
        refused_count=Sum("refused_count"),
        shipped_at=Max("shipment__shipped_at"),
    )
    if sums["row_count"] is None:
        raise BatchNotFoundError(f"There is no batch {batch_id}.")
    waiting = batches.waiting().aggregate(count=Sum("accepted_count"))["count"] or 0
    parked = ParkedEvent.objects.filter(event__batch__in=batches).count()
    if waiting:
        sums["shipped_at"] = None
    return PostSummary(
        batch_id=batch_id, waiting_count=waiting, parked_count=parked, **sums
    )


def list_row_outcomes(post: PostSummary, *, start: int, limit: int) -> list[Row]:
    """Give the outcome of the rows from `start` on, in three queries.

    A row that was neither accepted nor refused was a repetition. Of a batch that
    was pruned only the counts are left; each accepted row of it is stored.
    """
    end = min(start + limit, post.row_count)
    batches = list(
        IngestBatch.objects.filter(post=post.batch_id, first_index__lt=end)
        .select_related("shipment")
        .order_by("first_index")
    )
    by_id = {
        batch.pk: batch
        for batch in batches
        if batch.first_index + batch.row_count > start
    }
    outcomes = _accepted_outcomes(by_id, start, end) | _refused_outcomes(
        list(by_id), start, end
    )
    for batch in by_id.values():
        if batch.pruned_at is not None:
            indices = range(batch.first_index, batch.first_index + batch.row_count)
            outcomes |= {index: {"outcome": "pruned"} for index in indices}
    repeated = {"outcome": "duplicate"}
    return [
        {"index": index, **outcomes.get(index, repeated)} for index in range(start, end)
    ]


def list_refusals(
    organisation: Organisation, *, source: str | None, code: str | None
) -> QuerySet[RefusedEvent]:
    """List refused rows, the last first."""
    refused = RefusedEvent.objects.filter(organisation=organisation)
    if source is not None:
        refused = refused.filter(source=source)
    if code is not None:
        refused = refused.filter(code=code)
    return refused.select_related("batch").order_by("-pk")


def count_refusals(organisation: Organisation) -> list[Row]:
    """Count refused rows by source and code, the most frequent ones."""
    refused = RefusedEvent.objects.filter(organisation=organisation).order_by()
    counts = refused.values("source", "code").annotate(count=Count("pk"))
    most = counts.order_by("-count", "source", "code")[:MOST_COUNTS]
    return [dict(row) for row in most]


def _batches(organisation: Organisation, post: UUID) -> IngestBatchQuerySet:
    # Another organisation's batch is as absent as one that never was.
    return IngestBatch.objects.filter(organisation=organisation, post=post).order_by()


def _accepted_outcomes(
    batches: dict[UUID, IngestBatch], start: int, end: int
) -> dict[int, Row]:
    events = (
        InboxEvent.objects.filter(
            batch__in=list(batches), row_index__gte=start, row_index__lt=end
        )
        .select_related("parked")
        .only("row_index", "external_id", "version", "batch_id", "parked__reason")
    )
    return {
        event.row_index: _outcome(event, batches[event.batch_id]) for event in events
    }


def _outcome(event: InboxEvent, batch: IngestBatch) -> Row:
    identity: Row = {"external_id": event.external_id, "version": event.version}
    parked: ParkedEvent | None = getattr(event, "parked", None)
    if parked is not None:
        return identity | {"outcome": "parked", "reason": parked.reason}
    shipment = batch.shipment
    is_stored = shipment is not None and shipment.state == Shipment.State.SHIPPED
    return identity | {"outcome": "stored" if is_stored else "waiting"}


def _refused_outcomes(
    batch_ids: Sequence[UUID], start: int, end: int
) -> dict[int, Row]:
    refused = RefusedEvent.objects.filter(
        batch__in=batch_ids, row_index__gte=start, row_index__lt=end
    )
    return {
        row.row_index: {"outcome": "refused", "code": row.code, "reason": row.reason}
        for row in refused
    }
