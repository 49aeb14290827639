"""Reads: what became of every row that was ever posted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from analytics.errors import BatchNotFoundError
from analytics.models import (
    InboxEvent,
    IngestBatch,
    ParkedEvent,
    RefusedEvent,
    Shipment,
)
from riskplatform.api.keys.models import Organisation

Row = dict[str, Any]

# Sources are named by clients: there may be any number.
MOST_COUNTS = 1_000
SHOWN = ("row_index", "external_id", "version", "batch_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSummary:
    """How many rows a POST had, and what became of them so far."""

    batch_id: UUID
    received_at: datetime
    shipped_at: datetime | None
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    waiting: int
    stored: int
    parked: int


def get_post(organisation: Organisation, batch_id: UUID) -> PostSummary:
    """Sum a POST up, in three queries."""
    # Another organisation's batch is as absent as one that never was.
    batches = IngestBatch.objects.filter(
        organisation=organisation, post=batch_id
    ).order_by()
    sums = batches.aggregate(
        received_at=Min("received_at"),
        shipped_at=Max("shipment__shipped_at"),
        rows=Sum("row_count"),
        accepted=Sum("accepted_count"),
        duplicates=Sum("duplicate_count"),
        rejected=Sum("refused_count"),
    )
    if sums["rows"] is None:
        raise BatchNotFoundError(f"There is no batch {batch_id}.")
    waiting = batches.waiting().aggregate(count=Sum("accepted_count"))["count"] or 0
    parked = ParkedEvent.objects.filter(event__batch__in=batches).count()
    if waiting:
        sums["shipped_at"] = None
    return PostSummary(
        batch_id=batch_id,
        waiting=waiting,
        stored=sums["accepted"] - waiting - parked,
        parked=parked,
        **sums,
    )


def list_row_outcomes(post: PostSummary, *, start: int, limit: int) -> list[Row]:
    """Give the outcome of the rows from `start` on, in three queries.

    A row that was neither accepted nor refused was a repetition. Of a batch that
    was pruned only the counts are left; each accepted row of it is stored.
    """
    end = min(start + limit, post.rows)
    batches = {
        batch.pk: batch
        for batch in IngestBatch.objects.filter(
            post=post.batch_id, first_index__lt=end
        ).select_related("shipment")
        if batch.first_index + batch.row_count > start
    }
    in_page = Q(batch__in=list(batches), row_index__gte=start, row_index__lt=end)
    outcomes: dict[int, Row] = {
        row.row_index: {"outcome": "refused", "code": row.code, "reason": row.reason}
        for row in RefusedEvent.objects.filter(in_page)
    }
    events = InboxEvent.objects.filter(in_page).select_related("parked")
    for event in events.only(*SHOWN, "parked__reason"):
        outcomes[event.row_index] = _outcome(event, batches[event.batch_id])
    for batch in batches.values():
        if batch.pruned_at is not None:
            indices = range(batch.first_index, batch.first_index + batch.row_count)
            outcomes |= {index: {"outcome": "pruned"} for index in indices}
    repeated = {"outcome": "duplicate"}
    return [
        {"index": index, **outcomes.get(index, repeated)} for index in range(start, end)
    ]


def _outcome(event: InboxEvent, batch: IngestBatch) -> Row:
    identity: Row = {"external_id": event.external_id, "version": event.version}
    parked: ParkedEvent | None = getattr(event, "parked", None)
    if parked is not None:
        return identity | {"outcome": "parked", "reason": parked.reason}
    shipment = batch.shipment
    is_stored = shipment is not None and shipment.state == Shipment.State.SHIPPED
    return identity | {"outcome": "stored" if is_stored else "waiting"}


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
