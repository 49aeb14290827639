"""Around everything that answers: an error that nobody caught is recorded by its id.

Django catches what its views and middleware raise. What is left are errors of what
stands around Django, of streams while they are sent, and of WebSockets.
"""

import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

import orjson

from riskplatform.api.error_log import error_log, record_error
from riskplatform.api.problems import CONTENT_TYPE, internal_problem
from riskplatform.api.request_id import (
    HEADER,
    RequestContext,
    accepted_or_new,
    current_context,
    request_context,
    request_id_of,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]
# RFC 6455: the server met something that keeps it from going on.
CLOSE_INTERNAL_ERROR = 1011


class ErrorBoundary:
    """WSGI middleware, the outermost: names a request, records what breaks it."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        context = RequestContext(request_id_of(environ))
        # Without `request_context`: a generator costs every cached response 1 us.
        token = current_context.set(context)
        try:
            body = self._app(environ, start_response)
        except Exception as error:  # noqa: BLE001 - recorded, whatever it is
            record_error(error, request=context.request)
            return _broken(start_response)
        finally:
            current_context.reset(token)
        return body if isinstance(body, list) else _Watched(body, context)


class _Watched:
    """A body that is still being made: what breaks it is recorded and raised."""

    def __init__(self, body: Iterable[bytes], context: RequestContext) -> None:
        self._body = body
        self._context = context

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._body)
        while (chunk := self._next(chunks)) is not None:
            yield chunk

    def close(self) -> None:
        if (close := getattr(self._body, "close", None)) is not None:
            with request_context(self._context):
                close()

    def _next(self, chunks: Iterator[bytes]) -> bytes | None:
        with request_context(self._context):
            try:
                return next(chunks, None)
            except Exception as error:
                record_error(error, request=self._context.request)
                raise


class AsgiErrorBoundary:
    """The same for ASGI; a WebSocket that breaks is closed with 1011."""

    def __init__(self, app: AsgiApplication) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = RequestContext(_take_id(scope))
        with request_context(context):
            try:
                await self._app(scope, receive, send)
            except Exception as error:
                if scope["type"] != "websocket":
                    record_error(error, request=context.request)
                    raise
                error_log.exception("a WebSocket failed")
                # It may have been closed already.
                with contextlib.suppress(Exception):
                    await send(
                        {"type": "websocket.close", "code": CLOSE_INTERNAL_ERROR}
                    )


def _take_id(scope: Scope) -> str:
    """Name what a scope is for, and have what follows know it by the same name."""
    name = HEADER.lower().encode()
    headers = [pair for pair in scope.get("headers", ()) if pair[0] != name]
    given = dict(scope.get("headers", ())).get(name, b"")
    request_id = accepted_or_new(given.decode("latin-1"))
    if "headers" in scope:
        scope["headers"] = [*headers, (name, request_id.encode())]
    return request_id


def _broken(start_response: "StartResponse") -> list[bytes]:
    body = internal_problem()
    content = orjson.dumps(body)
    headers = [
        ("Content-Type", CONTENT_TYPE),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-store"),
        (HEADER, body["request_id"]),
    ]
    start_response("500 Internal Server Error", headers, sys.exc_info())
    return [content]
