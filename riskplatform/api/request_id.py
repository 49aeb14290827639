"""Take or make X-Request-ID, and hand it to whoever answers or logs."""

import random
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Request-ID"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(slots=True)
class RequestContext:
    """What is at work: a request, or a job under a name of its own.

    `request` is there once Django has read it.
    """

    request_id: str
    request: HttpRequest | None = None


_current: ContextVar[RequestContext | None] = ContextVar(
    "request_context", default=None
)


def current_request_id() -> str:
    context = _current.get()
    return "" if context is None else context.request_id


class request_context:  # noqa: N801 - used like a function
    """Have what is logged inside the block carry the id.

    A class, because a generator costs every cached response a microsecond.
    """

    __slots__ = ("_context", "_token")

    def __init__(self, context: RequestContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = _current.set(self._context)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def accepted_or_new(given: str) -> str:
    """Return what a client gave, or a new name where it cannot be repeated.

    Anything else could smuggle line breaks into logs and headers.
    """
    if given and ACCEPTED.fullmatch(given):
        return given
    return f"{random.getrandbits(128):032x}"


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        context = _context_of(request)
        with request_context(context):
            response = self.get_response(request)
        response.headers[HEADER] = context.request_id
        return response


def _context_of(request: HttpRequest) -> RequestContext:
    """Go on with the context from before Django, where there is one."""
    request_id = accepted_or_new(request.headers.get(HEADER, ""))
    context = _current.get()
    if context is None or context.request_id != request_id:
        context = RequestContext(request_id)
    context.request = request
    return context
