"""GET below /events: the outcomes of posted rows, refused rows, and the backlog."""

from dataclasses import asdict
from typing import Annotated, Self
from uuid import UUID

from django.conf import settings
from msgspec import Meta, Struct
from rest_framework.request import Request

from analytics.api.events import BY_KEY, WRITERS
from analytics.api.reading import Limit
from analytics.inbox.backlog import measure_backlog
from analytics.inbox.event_input import SourceName
from analytics.inbox.row_outcomes import (
    count_refusals,
    get_post,
    list_refusals,
    list_row_outcomes,
)
from analytics.models import RefusedEvent
from riskplatform.api.endpoints import Router
from riskplatform.api.keys.authentication import get_key
from riskplatform.kernel.instants import AwareTime

router = Router()


class OutcomesQuery(Struct, forbid_unknown_fields=True):
    after: Annotated[int, Meta(ge=-1, description="Index of the last row seen.")] = -1
    limit: Limit = 100


class RowOutcome(Struct, omit_defaults=True):
    index: int
    outcome: Annotated[
        str, Meta(description="waiting, stored, parked, refused, duplicate or pruned.")
    ]
    external_id: str | None = None
    version: int | None = None
    code: str | None = None
    reason: str | None = None


class BatchOutcomes(Struct):
    batch_id: UUID
    received_at: AwareTime
    shipped_at: AwareTime | None
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    waiting: int
    stored: int
    parked: int
    results: list[RowOutcome]
    next: int | None


class RejectionsQuery(Struct, forbid_unknown_fields=True):
    source: SourceName | None = None
    code: (
        Annotated[str, Meta(max_length=40, description="Code of the refusal.")] | None
    ) = None
    after: (
        Annotated[int, Meta(ge=0, description="The `next` of the last page.")] | None
    ) = None
    limit: Limit = 100


class RejectedRow(Struct):
    batch_id: UUID
    received_at: AwareTime
    index: int
    source: str
    code: str
    reason: str

    @classmethod
    def of(cls, row: RefusedEvent) -> Self:
        return cls(
            batch_id=row.batch.post,
            received_at=row.batch.received_at,
            index=row.row_index,
            source=row.source,
            code=row.code,
            reason=row.reason,
        )


class RejectionCount(Struct):
    source: str
    code: str
    count: int


class Rejections(Struct):
    counts: Annotated[
        list[RejectionCount], Meta(description="The 1,000 most frequent.")
    ]
    results: list[RejectedRow]
    next: int | None


class BacklogState(Struct):
    waiting_events: int
    oldest_waiting_s: float
    parked_events: int
    max_waiting_events: Annotated[
        int, Meta(description="From here on a POST is answered by 503.")
    ]


@router.get("events/batches/<uuid:batch_id>", WRITERS, authentication=BY_KEY)
def events_batch_outcomes(
    request: Request, batch_id: UUID, query: OutcomesQuery
) -> BatchOutcomes:
    """Give the outcome of each row of a POST."""
    post = get_post(get_key(request).organisation, batch_id)
    outcomes = list_row_outcomes(post, start=query.after + 1, limit=query.limit)
    last = outcomes[-1]["index"] if outcomes else post.rows
    return BatchOutcomes(
        **asdict(post),
        results=[RowOutcome(**outcome) for outcome in outcomes],
        next=last if last + 1 < post.rows else None,
    )


@router.get("events/rejections", WRITERS, authentication=BY_KEY)
def events_rejections(request: Request, query: RejectionsQuery) -> Rejections:
    """List the rows that were refused, the last first, and count them."""
    organisation = get_key(request).organisation
    refused = list_refusals(organisation, source=query.source, code=query.code)
    if query.after is not None:
        refused = refused.filter(pk__lt=query.after)
    page = list(refused[: query.limit + 1])
    rows = page[: query.limit]
    return Rejections(
        counts=[RejectionCount(**count) for count in count_refusals(organisation)],
        results=[RejectedRow.of(row) for row in rows],
        next=rows[-1].pk if len(page) > query.limit else None,
    )


@router.get("events/backlog", WRITERS, authentication=BY_KEY)
def events_backlog(request: Request) -> BacklogState:
    """Count the accepted events that are not in the event store yet."""
    backlog = measure_backlog()
    return BacklogState(
        waiting_events=backlog.waiting_count,
        oldest_waiting_s=round(backlog.oldest_s, 3),
        parked_events=backlog.parked_count,
        max_waiting_events=settings.INGEST_MAX_BACKLOG,
    )
