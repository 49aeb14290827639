"""POST /events: accept events, durably, before the answer leaves."""

from functools import partial

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from analytics.api.body import body_pieces
from analytics.api.schemas import EventsQuery, EventsReceipt
from analytics.inbox.event_input import EventInput
from analytics.inbox.receiving import BodyForm, Receipt, receive_events
from analytics.inbox.validation import PostDefaults
from analytics.ingest.unpacking import limited
from riskplatform.api.idempotency.services import (
    Answer,
    answer_once,
    fingerprint_of,
)
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.keys.authentication import ApiKeyAuthentication, get_key
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope

# Such a body is one transaction and one fingerprint, so it is read as a whole.
MAX_IDEMPOTENT_BYTES = 1 << 24
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    type=str,
    location=OpenApiParameter.HEADER,
    description="The same key and body get the same answer for a day.",
)
EVENTS_SCHEMA = {"type": "array", "items": body_schema(EventInput)}


class EventsView(APIView):
    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (has_scope(Scope.EVENTS_WRITE),)

    @extend_schema(
        operation_id="events_create",
        parameters=[*query_parameters(EventsQuery), IDEMPOTENCY_KEY],
        request={
            "application/json": EVENTS_SCHEMA,
            "application/x-ndjson": body_schema(EventInput),
            "text/csv": {"type": "string"},
        },
        responses={(202, "application/json"): body_schema(EventsReceipt)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Accept events as JSON array, NDJSON or CSV, plain or gzip.

        Each row gets a verdict of its own. An event that comes again with other
        values is a correction; with `retracted` it is withdrawn.
        """
        query = decode_query(request, EventsQuery)
        defaults = PostDefaults(source=query.source, region=query.region)
        key = request.headers.get("Idempotency-Key")
        answer = (
            _receive(request, defaults)
            if key is None
            else _receive_once(request, defaults, key)
        )
        response = HttpResponse(
            answer.body, status=answer.status, content_type="application/json"
        )
        if answer.is_replayed:
            response["Idempotency-Replayed"] = "true"
        return response


def _receive(
    request: Request, defaults: PostDefaults, body: bytes | None = None
) -> Answer:
    receipt = receive_events(
        body_pieces(request) if body is None else (body,),
        form=BodyForm(
            content_type=request.headers.get("Content-Type", ""),
            encoding=request.headers.get("Content-Encoding", "").strip().lower(),
        ),
        organisation=get_key(request).organisation,
        defaults=defaults,
    )
    return Answer(status=202, body=_body(receipt))


def _receive_once(request: Request, defaults: PostDefaults, key: str) -> Answer:
    pieces = limited(body_pieces(request), max_bytes=MAX_IDEMPOTENT_BYTES)
    body = b"".join(pieces)
    return answer_once(
        get_key(request).organisation,
        key=key,
        fingerprint=fingerprint_of("POST", request.get_full_path(), body),
        produce=partial(_receive, request, defaults, body),
    )


def _body(receipt: Receipt) -> bytes:
    return orjson.dumps(
        {
            "batch_id": receipt.batch_id,
            "accepted": receipt.accepted_count,
            "duplicates": receipt.duplicate_count,
            "rejected_count": receipt.refused_count,
            "rejected": [
                {
                    "index": row_index,
                    "code": refusal.code,
                    "reason": refusal.reason,
                }
                for row_index, _, refusal in receipt.refused
            ],
        }
    )
