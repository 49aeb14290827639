"""Every POST that creates: carried out once for each Idempotency-Key."""

from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from riskplatform.api.idempotency.errors import IdempotencyKeyError
from riskplatform.api.idempotency.services import Answer, answer_once, fingerprint_of
from riskplatform.api.keys.principal import find_principal

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    type=str,
    location=OpenApiParameter.HEADER,
    description="The same key and body get the same answer for a day.",
)


def answer_creation(
    request: Request,
    create: Callable[[], Any],
    *,
    status: int = 201,
    body: bytes | None = None,
) -> HttpResponse:
    """Answer with what `create` returns, as JSON; with a key, do so only once.

    `body` is for whoever has read the body of the request already.

    With an Idempotency-Key the effect, the key and the answer are one transaction,
    so `create` must leave what cannot be rolled back to `transaction.on_commit`.
    """

    def produce() -> Answer:
        body = orjson.dumps(create(), default=str, option=orjson.OPT_UTC_Z)
        return Answer(status=status, body=body)

    key = request.headers.get("Idempotency-Key")
    if key is None:
        answer = produce()
    else:
        content = request.body if body is None else body
        answer = _once(request, content, key, produce)
    response = HttpResponse(
        answer.body, status=answer.status, content_type="application/json"
    )
    if answer.is_replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def _once(
    request: Request, content: bytes, key: str, produce: Callable[[], Answer]
) -> Answer:
    method = request.method or ""
    principal = find_principal(request)
    if principal is None:
        raise IdempotencyKeyError(
            "Idempotency-Keys are kept for organisations. Leave it out, or name yours"
            " with X-Organisation."
        )
    return answer_once(
        principal.organisation,
        key=key,
        fingerprint=fingerprint_of(method, request.get_full_path(), content),
        produce=produce,
    )
