"""GET below /events: the fate of posted rows, refused rows, and what waits."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.schemas import (
    BacklogState,
    BatchFates,
    FatesQuery,
    Rejections,
    RejectionsQuery,
)
from analytics.inbox.backlog import measure_backlog
from analytics.inbox.row_outcomes import (
    PostSummary,
    count_refusals,
    get_post,
    list_refusals,
    list_row_outcomes,
)
from analytics.models import RefusedEvent
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.keys.authentication import ApiKeyAuthentication, get_key
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope


class IngestView(APIView):
    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (has_scope(Scope.EVENTS_WRITE),)


class BatchFatesView(IngestView):
    @extend_schema(
        operation_id="events_batch_fates",
        parameters=query_parameters(FatesQuery),
        responses={(200, "application/json"): body_schema(BatchFates)},
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        """Tell what became of each row of a POST."""
        query = decode_query(request, FatesQuery)
        post = get_post(get_key(request).organisation, batch_id)
        fates = list_row_outcomes(post, start=query.after + 1, limit=query.limit)
        last = fates[-1]["index"] if fates else post.row_count
        following = last if last + 1 < post.row_count else None
        return Response({**_summary(post), "fates": fates, "next": following})


class RejectionsView(IngestView):
    @extend_schema(
        operation_id="events_rejections",
        parameters=query_parameters(RejectionsQuery),
        responses={(200, "application/json"): body_schema(Rejections)},
    )
    def get(self, request: Request) -> Response:
        """List the rows that were refused, the last first, and count them."""
        query = decode_query(request, RejectionsQuery)
        organisation = get_key(request).organisation
        refused = list_refusals(organisation, source=query.source, code=query.code)
        if query.after is not None:
            refused = refused.filter(pk__lt=query.after)
        page = list(refused[: query.limit + 1])
        rows = page[: query.limit]
        return Response(
            {
                "counts": count_refusals(organisation),
                "rejections": [_rejection(row) for row in rows],
                "next": rows[-1].pk if len(page) > query.limit else None,
            }
        )


class BacklogView(IngestView):
    @extend_schema(
        operation_id="events_backlog",
        responses={(200, "application/json"): body_schema(BacklogState)},
    )
    def get(self, request: Request) -> Response:
        """Tell how many accepted events are not in the event store yet."""
        backlog = measure_backlog()
        return Response(
            {
                "waiting_events": backlog.waiting_count,
                "oldest_waiting_s": round(backlog.oldest_s, 3),
                "parked_events": backlog.parked_count,
                "max_waiting_events": settings.INGEST_MAX_BACKLOG,
            }
        )


def _summary(post: PostSummary) -> dict[str, Any]:
    return {
        "batch_id": post.batch_id,
        "received_at": post.received_at,
        "shipped_at": post.shipped_at,
        "rows": post.row_count,
        "accepted": post.accepted_count,
        "duplicates": post.duplicate_count,
        "rejected": post.refused_count,
        "waiting": post.waiting_count,
        "stored": post.stored_count,
        "parked": post.parked_count,
    }


def _rejection(row: RefusedEvent) -> dict[str, Any]:
    return {
        "batch_id": row.batch.post,
        "received_at": row.batch.received_at,
        "index": row.row_index,
        "source": row.source,
        "code": row.code,
        "reason": row.reason,
    }
