"""Calls views without Django's handler and middleware, which take longer than most.

That is for requests whose sender is known and whose host is allowed. They are answered
as Django would: by the same view, with the headers that the middleware adds to all
responses of a route. Anything but a whole response with status 200 is left to Django,
which then does the work once more; so this is for reads only.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.cache import set_response_etag
from django.utils.module_loading import import_string

from perf.cache.edge.principals import has_session
from perf.cache.edge.request_key import Environ
from perf.cache.edge.response import MIN_GZIP_BYTES, OK, Headers, StartResponse
from riskplatform.api.browser_middleware import API
from riskplatform.api.cache_headers import IS_DEFAULT
from riskplatform.api.error_log import note_principal
from riskplatform.api.request_id import current_context

Application = Callable[[Environ, StartResponse], Iterable[bytes]]
# It would count the request that is made up.
COUNTING: Final = "perf.django_metrics.RequestMetrics"
OF_ONE_RESPONSE: Final = frozenset(
    {"Content-Type", "Content-Length", "ETag", "X-Request-ID"}
)


class Kind(NamedTuple):
    """What the headers depend on that middleware adds to a response."""

    method: str
    scheme: str
    forwarded_scheme: str
    host: str
    vary: str
    cache_control: str
    is_long: bool


@dataclass(frozen=True, slots=True)
class Added:
    """Headers; `is_default` says that the view has said nothing about caching."""

    headers: Headers
    is_default: bool | None


class DirectViews:
    """A WSGI application before Django."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._added_headers = _MiddlewareHeaders().find

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        response = self._respond(environ)
        if response is None:
            return self._app(environ, start_response)
        start_response(OK, list(response.items()))
        return [response.content]

    def _respond(self, environ: Environ) -> HttpResponse | None:
        if has_session(environ) or "HTTP_X_REQUEST_TIMEOUT" in environ:
            return None
        match = _match(environ["PATH_INFO"])
        if match is None:
            return None
        try:
            response = _call(match, environ)
        except Exception:  # noqa: BLE001 - Django meets it again, and reports it
            response = None
        if isinstance(response, HttpResponse) and response.status_code == 200:
            return self._with_headers(environ, response)
        if isinstance(body := environ["wsgi.input"], io.BytesIO):
            body.seek(0)
        return None

    def _with_headers(
        self, environ: Environ, response: HttpResponse
    ) -> HttpResponse | None:
        """Add what the middleware adds; None where it gives another response."""
        is_get = environ["REQUEST_METHOD"] == "GET"
        kind = Kind(
            environ["REQUEST_METHOD"],
            environ["wsgi.url_scheme"],
            environ.get("HTTP_X_FORWARDED_PROTO", ""),
            environ.get("HTTP_HOST") or environ["SERVER_NAME"],
            response.get("Vary", ""),
            response.get("Cache-Control", ""),
            len(response.content) >= MIN_GZIP_BYTES,
        )
        added = self._added_headers(kind)
        if added is None:
            return None
        for name, value in added.headers:
            response.headers[name] = value
        environ[IS_DEFAULT] = added.is_default
        if is_get and "ETag" not in response.headers:
            set_response_etag(response)
        response.headers["Content-Length"] = str(len(response.content))
        return response


@lru_cache(maxsize=4_096)
def _match(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None


def _call(match: ResolverMatch, environ: Environ) -> HttpResponseBase:
    # A dead connection is replaced, as Django does at the start of a request.
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    request = WSGIRequest(environ)
    request.user = AnonymousUser()
    request.resolver_match = match
    if (context := current_context.get()) is not None:
        context.request = request
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    note_principal(request)
    return response


class _MiddlewareHeaders:
    """What all middleware adds to a response, found out with one that is made up."""

    def __init__(self) -> None:
        self.find = lru_cache(maxsize=256)(self._find)

    @cached_property
    def _handle(self) -> Any:
        handle: Any = _made_up
        for path in reversed(settings.MIDDLEWARE):
            if path != COUNTING:
                handle = import_string(path)(handle)
        return handle

    def _find(self, kind: Kind) -> Added | None:
        """Give the headers; None where a redirect, for instance, takes its place."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": kind.method,
            "PATH_INFO": API,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": kind.host,
            "wsgi.url_scheme": kind.scheme,
            "wsgi.input": io.BytesIO(),
        }
        if kind.forwarded_scheme:
            environ["HTTP_X_FORWARDED_PROTO"] = kind.forwarded_scheme
        request: Any = WSGIRequest(environ)
        # As long as it has to be for what compresses, or too short.
        content = b" " * (MIN_GZIP_BYTES if kind.is_long else 1)
        request.response = response = HttpResponse(content)
        for name, value in (("Vary", kind.vary), ("Cache-Control", kind.cache_control)):
            if value:
                response.headers[name] = value
        response = self._handle(request)
        if response.status_code != 200:
            return None
        headers = [pair for pair in response.items() if pair[0] not in OF_ONE_RESPONSE]
        return Added(headers, request.META.get(IS_DEFAULT))


def _made_up(request: Any) -> HttpResponse:
    response: HttpResponse = request.response
    return response
