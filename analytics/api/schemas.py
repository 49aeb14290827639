"""What the API of events takes and gives, as structs that parse and document it."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from analytics.inbox.event_input import AwareTime, Slug, SourceName

Limit = Annotated[int, Meta(ge=1, le=1_000, description="Rows of a page.")]


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
    index: Annotated[int, Meta(description="Place of the row in the body, from 0.")]
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


class FatesQuery(Struct, forbid_unknown_fields=True):
    after: Annotated[int, Meta(ge=-1, description="Index of the last row seen.")] = -1
    limit: Limit = 100


class RowFate(Struct, omit_defaults=True):
    index: int
    fate: Annotated[
        str, Meta(description="waiting, stored, parked, refused, duplicate or pruned.")
    ]
    external_id: str | None = None
    version: int | None = None
    code: str | None = None
    reason: str | None = None


class BatchFates(Struct):
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
    fates: list[RowFate]
    next: int | None


class RejectionsQuery(Struct, forbid_unknown_fields=True):
    source: SourceName | None = None
    code: Annotated[str, Meta(max_length=40)] | None = None
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


class RejectionCount(Struct):
    source: str
    code: str
    count: int


class Rejections(Struct):
    counts: Annotated[
        list[RejectionCount], Meta(description="The 1,000 most frequent.")
    ]
    rejections: list[RejectedRow]
    next: int | None


class BacklogState(Struct):
    waiting_events: int
    oldest_waiting_s: float
    parked_events: int
    max_waiting_events: Annotated[
        int, Meta(description="From here on a POST is answered by 503.")
    ]
