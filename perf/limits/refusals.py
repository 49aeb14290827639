"""Answers given before Django: problem+json with the id of the request."""

import random
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from perf.metrics import SHED
from perf.request_times import count_refusal
from riskplatform.api.problems import CONTENT_TYPE, problem
from riskplatform.api.request_id import HEADER, request_id_of
from riskplatform.kernel.errors import ApplicationError, UnavailableError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Header = tuple[str, str]

# Drawn at random, so that refused clients do not come back all at once.
RETRY_AFTER_S = (1, 3)


class ThrottledError(ApplicationError):
    code = "throttled"
    title = "Too many requests"
    status = 429


class OverloadedError(UnavailableError):
    code = "overloaded"
    title = "The server is busy"
    retry_after_s = 1


def refuse_overload(
    environ: "WSGIEnvironment", start_response: "StartResponse", route_class: str
) -> list[bytes]:
    """Refuse a request that could not be answered in time."""
    SHED.labels(route_class).inc()
    count_refusal(environ, route_class)
    error = OverloadedError("More requests wait than can be answered. Try again.")
    wait_s = random.randint(*RETRY_AFTER_S)  # noqa: S311 - spreads retries, no secret
    return refuse(environ, start_response, error, [("Retry-After", str(wait_s))])


def refuse(
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    error: ApplicationError,
    headers: Sequence[Header],
) -> list[bytes]:
    """Answer a request that goes no further; the body it brings is not read."""
    request_id = request_id_of(environ)
    described, content = refusal(error, request_id=request_id, headers=headers)
    start_response(f"{error.status} {HTTPStatus(error.status).phrase}", described)
    return [content]


def refusal(
    error: ApplicationError, *, request_id: str, headers: Sequence[Header]
) -> tuple[list[Header], bytes]:
    """Describe an error: the headers of an answer, and its body."""
    body = problem(
        status=error.status, code=error.code, title=error.title, detail=error.message
    )
    content = orjson.dumps(body | {"request_id": request_id})
    described = [
        ("Content-Type", CONTENT_TYPE),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-store"),
        (HEADER, request_id),
        *headers,
    ]
    return described, content
