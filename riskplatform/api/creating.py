"""Every POST that creates: carried out once for each Idempotency-Key."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from msgspec import Struct
from rest_framework.request import Request

from riskplatform.api.idempotency.services import (
    IdempotencyKeyError,
    StoredResponse,
    answer_once,
    fingerprint_of,
)
from riskplatform.api.keys.principal import find_principal
from riskplatform.api.problems import CONTENT_TYPE, problem_of
from riskplatform.kernel.errors import ApplicationError

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    type={
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "pattern": "^[\\x21-\\x7e]+$",
    },
    location=OpenApiParameter.HEADER,
    description="The same key and body get the same answer for a day.",
)
Created = TypeVar("Created")


@dataclass(frozen=True, slots=True)
class Once(Generic[Created]):
    """An answer that is made once for each Idempotency-Key.

    With a key, the effect, the key and the answer are one transaction, so `create`
    must leave what cannot be rolled back to `transaction.on_commit`. What a request
    may do is checked before, also where the answer is given again.

    Parameters
    ----------
    create
        Makes the change and the answer; an error that it returns, in place of raising
        it, is an answer too, and undoes nothing.
    status
        Of the answer, where it is not that of the endpoint.
    body
        Of the request, where it has been read already.
    finish
        Makes the answer from the JSON that was stored, where they are not the same.
    """

    create: Callable[[], Created | Struct | ApplicationError]
    status: int | None = None
    body: bytes | None = None
    finish: Callable[[bytes], Created] | None = None


def answer_once_per_key(
    request: Request, once: Once[Any], *, status: int
) -> HttpResponse:
    def produce() -> StoredResponse:
        made = once.create()
        if isinstance(made, ApplicationError):
            body = msgspec.json.encode(problem_of(made))
            return StoredResponse(status=made.status, body=body)
        content = msgspec.json.encode(made)
        return StoredResponse(status=once.status or status, body=content)

    key = request.headers.get("Idempotency-Key")
    stored = produce() if key is None else _stored(request, once.body, key, produce)
    content = stored.body
    is_problem = stored.status >= 400
    if once.finish is not None and not is_problem:
        content = msgspec.json.encode(once.finish(content))
    return HttpResponse(
        content,
        status=stored.status,
        headers={"Idempotency-Replayed": "true"} if stored.is_replayed else None,
        content_type=CONTENT_TYPE if is_problem else "application/json",
    )


def _stored(
    request: Request,
    body: bytes | None,
    key: str,
    produce: Callable[[], StoredResponse],
) -> StoredResponse:
    principal = find_principal(request)
    if principal is None:
        raise IdempotencyKeyError(
            "Idempotency-Keys are kept for organisations. Leave it out, or name yours"
            " with X-Organisation."
        )
    body = request.body if body is None else body
    return answer_once(
        principal.organisation,
        key=key,
        fingerprint=fingerprint_of("POST", request.get_full_path(), body),
        produce=produce,
    )
