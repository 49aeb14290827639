"""One POST from its bytes to its receipt, in memory of one block of rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from analytics.errors import EmptyBodyError, TooManyRowsError
from analytics.inbox.acceptance import Post, accept_block
from analytics.inbox.backlog import check_backlog
from analytics.inbox.reading import reader_of
from analytics.inbox.validation import BlockValidator
from analytics.inbox.versions import BlockOutcome, RefusedRow
from analytics.ingest.unpacking import limited, unpacked
from analytics.placement import get_directory
from perf.deadlines import watched
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import ApplicationError
from riskplatform.kernel.ids import uuid7

# More of them can be read at the address of the batch.
MAX_LISTED_REFUSALS = 1_000


@dataclass(slots=True, kw_only=True)
class Receipt:
    """What became of the rows of a POST; all that counts as accepted is durable."""

    batch_id: UUID
    row_count: int = 0
    accepted_count: int = 0
    duplicate_count: int = 0
    refused_count: int = 0
    refused: list[RefusedRow] = field(default_factory=list)

    def add(self, outcome: BlockOutcome) -> None:
        self.accepted_count += len(outcome.accepted)
        self.duplicate_count += outcome.duplicate_count
        self.refused_count += len(outcome.refused)
        left = MAX_LISTED_REFUSALS - len(self.refused)
        self.refused += outcome.refused[:left]


def receive_events(
    pieces: Iterable[bytes],
    *,
    content_type: str,
    encoding: str = "",
    organisation: Organisation,
    source: str,
    region: str | None = None,
) -> Receipt:
    """Accept the events of a body; rows that name none have this source and region.

    Each block of rows is one transaction, unless the caller holds one open. Where a
    body breaks off or goes over a limit, the blocks before it stay accepted, and
    the error says how many rows that were; to send it all again is harmless.
    """
    check_backlog()
    now = timezone.now()
    validator = BlockValidator(get_directory(), source=source, region=region, now=now)
    read = reader_of(content_type)
    content = unpacked(
        limited(pieces, max_bytes=settings.INGEST_MAX_BODY_BYTES),
        encoding=encoding,
        max_bytes=settings.INGEST_MAX_UNPACKED_BYTES,
    )
    post = Post(id=uuid7(), organisation=organisation, received_at=now)
    receipt = Receipt(batch_id=post.id)
    try:
        for rows in watched(read(content), every=1):
            _check_row_count(receipt.row_count + len(rows))
            first_index = receipt.row_count
            events, refused = validator.validate(rows, first_index=first_index)
            receipt.add(accept_block(post, events, refused, first_index=first_index))
            receipt.row_count += len(rows)
    except ApplicationError as error:
        if receipt.row_count:
            error.context |= {
                "batch_id": str(post.id),
                "rows_done": receipt.row_count,
                "accepted": receipt.accepted_count,
            }
        raise
    if not receipt.row_count:
        raise EmptyBodyError("The body holds no event. Send at least one.")
    return receipt


def _check_row_count(row_count: int) -> None:
    if row_count > settings.INGEST_MAX_ROWS:
        raise TooManyRowsError(
            f"A body may have {settings.INGEST_MAX_ROWS:,} rows. Send it in parts.",
            max_rows=settings.INGEST_MAX_ROWS,
        )
