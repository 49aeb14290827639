"""Take or make X-Request-ID, and pass it to responses and logs."""

import random
import re
from collections.abc import Callable, Generator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from riskplatform.api.error_log import note_principal

HEADER = "X-Request-ID"
WSGI_HEADER = "HTTP_X_REQUEST_ID"
# In the environment of a WSGI request that has its id.
KNOWN = "riskplatform.request_id"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(slots=True)
class RequestContext:
    """What is at work: a request, or a job under a name of its own.

    `request` is there once Django has read it.
    """

    request_id: str
    request: HttpRequest | None = None


current_context: ContextVar[RequestContext | None] = ContextVar(
    "request_context", default=None
)


def current_request_id() -> str:
    context = current_context.get()
    return "" if context is None else context.request_id


@contextmanager
def request_context(context: RequestContext) -> Generator[None]:
    """Have what is logged inside the block carry the id."""
    token = current_context.set(context)
    try:
        yield
    finally:
        current_context.reset(token)


def accepted_or_new(given: str) -> str:
    """Return what a client gave, or a new name where it cannot be repeated.

    Anything else could smuggle line breaks into logs and headers.
    """
    if given and ACCEPTED.fullmatch(given):
        return given
    return f"{random.getrandbits(128):032x}"


def request_id_of(environ: MutableMapping[str, Any]) -> str:
    """Give a WSGI request its id, once; whatever it reaches knows it by the same."""
    request_id: str | None = environ.get(KNOWN)
    if request_id is None:
        request_id = accepted_or_new(environ.get(WSGI_HEADER, ""))
        environ[KNOWN] = environ[WSGI_HEADER] = request_id
    return request_id


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        context = _context_of(request)
        with request_context(context):
            response = self.get_response(request)
        note_principal(request)
        response.headers[HEADER] = context.request_id
        return response


def _context_of(request: HttpRequest) -> RequestContext:
    """Go on with the context from before Django, where there is one."""
    request_id = accepted_or_new(request.headers.get(HEADER, ""))
    context = current_context.get()
    if context is None or context.request_id != request_id:
        context = RequestContext(request_id)
    context.request = request
    return context
