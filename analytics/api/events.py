"""POST /events: accept events, durably, before the answer leaves."""

from collections.abc import Iterable
from typing import Annotated, Final, Self
from uuid import UUID

from msgspec import Meta, Struct, to_builtins
from rest_framework.request import Request

from analytics.api.body import body_pieces
from analytics.errors import NoRowAcceptedError
from analytics.inbox.event_input import EventInput, Slug, SourceName
from analytics.inbox.receiving import Receipt, receive_events
from analytics.ingest.unpacking import limited
from riskplatform.api.creating import Once
from riskplatform.api.endpoints import JSON, Router
from riskplatform.api.keys.authentication import ApiKeyAuthentication, get_key
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.openapi import struct_schema

router = Router()
WRITERS: Final = has_scope(Scope.EVENTS_WRITE)
BY_KEY: Final = (ApiKeyAuthentication,)
# Such a body is one transaction and one fingerprint, so it is read as a whole.
MAX_IDEMPOTENT_BYTES: Final = 1 << 24


class EventsQuery(Struct, forbid_unknown_fields=True):
    region: (
        Annotated[
            Slug, Meta(description="Region of rows that name none; else by place.")
        ]
        | None
    ) = None
    source: Annotated[
        SourceName, Meta(description="Source of rows that name none.")
    ] = "api"


class Rejected(Struct):
    index: Annotated[int, Meta(description="Position of the row in the body, from 0.")]
    code: str
    reason: str


class EventsReceipt(Struct):
    """All that counts as accepted is durable when the answer leaves."""

    batch_id: UUID
    accepted: int
    duplicates: int
    rejected_count: int
    rejected: Annotated[
        list[Rejected], Meta(description="The first 1,000; all are with the batch.")
    ]

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        return cls(
            batch_id=receipt.batch_id,
            accepted=receipt.accepted_count,
            duplicates=receipt.duplicate_count,
            rejected_count=receipt.refused_count,
            rejected=[
                Rejected(index=row_index, code=refusal.code, reason=refusal.reason)
                for row_index, _, refusal in receipt.refused
            ],
        )


@router.post(
    "events",
    WRITERS,
    status=202,
    authentication=BY_KEY,
    bodies={
        JSON: struct_schema(list[EventInput]),
        "application/x-ndjson": struct_schema(EventInput),
        "text/csv": {"type": "string"},
    },
)
def events_create(request: Request, query: EventsQuery) -> Once[EventsReceipt]:
    """Accept events as JSON array, NDJSON or CSV, plain or gzip.

    Each row gets a verdict of its own; where none is accepted the answer is 422, with
    the verdicts. An event that comes again with other
    values is a correction; with `retracted` it is withdrawn.
    """
    pieces: Iterable[bytes] = body_pieces(request)
    body = None
    if "Idempotency-Key" in request.headers:
        body = b"".join(limited(pieces, max_bytes=MAX_IDEMPOTENT_BYTES))
        pieces = (body,)

    def receive() -> EventsReceipt | NoRowAcceptedError:
        receipt = receive_events(
            pieces,
            content_type=request.headers.get("Content-Type", ""),
            encoding=request.headers.get("Content-Encoding", "").strip().lower(),
            organisation=get_key(request).organisation,
            source=query.source,
            region=query.region,
        )
        answer = EventsReceipt.of(receipt)
        if receipt.refused_count < receipt.row_count:
            return answer
        return NoRowAcceptedError(
            f"None of {receipt.row_count:,} rows was accepted. The first:"
            f" {answer.rejected[0].reason}",
            **to_builtins(answer),
        )

    return Once(receive, body=body)
