"""Bodies are read before anything else, and slow ones hold up no other request.

On a server that takes answers from other threads (`riskplatform.kernel.detaching`) a
request goes on when its body is there. Elsewhere, as in development, nothing is done.
"""

import io
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from django.conf import settings

from perf.limits.body_reading import PIECE_BYTES, BodyPace, BodyReader, EndedError
from perf.limits.callers import BY_ADDRESS, configured_callers
from perf.limits.refusals import refusal, refuse, refuse_overload
from perf.limits.routes import configured_routes
from perf.metrics import SLOW_BODIES
from perf.switches import Switch, is_on
from riskplatform.api.request_id import request_id_of
from riskplatform.kernel.detaching import DETACHABLE, Detachable
from riskplatform.kernel.errors import ApplicationError, BodyTooLargeError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Buffering:
    """WSGI middleware: see the module."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._is_on = is_on(Switch.LIMITS)
        self._routes = configured_routes()
        self._callers = configured_callers()
        self._reader = BodyReader(_configured_pace(), _end)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        has_body = "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ
        if has_body and self._is_on and DETACHABLE in environ:
            return self._read_first(environ[DETACHABLE], environ, start_response)
        return self._app(environ, start_response)

    def _read_first(
        self,
        request: Detachable,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        address = self._callers.address(environ)
        if not self._reader.may_read(address):
            route_class = self._routes.of(environ["PATH_INFO"])
            return refuse_overload(environ, start_response, route_class)
        request.request_id = request_id_of(environ)
        try:
            environ["wsgi.input"] = self._read(request, address, environ)
        except EndedError:
            return request.detach()
        except BodyTooLargeError as error:
            return refuse(environ, start_response, error, [])
        return self._app(environ, start_response)

    def _read(
        self, request: Detachable, address: str, environ: "WSGIEnvironment"
    ) -> IO[bytes]:
        body = environ["wsgi.input"]
        length = _body_length(environ)
        if length is not None and length <= PIECE_BYTES:
            return io.BytesIO(self._reader.read_short(request, address, body, length))
        most = self._most_bytes(environ)
        if length is not None and length > most:
            raise BodyTooLargeError(f"The body is larger than {most} bytes.")
        return self._reader.read(request, address, body, length, most=most)

    def _most_bytes(self, environ: "WSGIEnvironment") -> int:
        usual: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        most: int | None = settings.LARGE_BODIES.get(
            self._routes.of(environ["PATH_INFO"])
        )
        if most is None or self._callers.name(environ).startswith(BY_ADDRESS):
            return usual
        return most


def _body_length(environ: "WSGIEnvironment") -> int | None:
    """Return the length of a body; None where that shows only at its end."""
    length = environ.get("CONTENT_LENGTH")
    if length is None:
        return None
    return int(length) if length.isdecimal() else 0


def _end(request: Detachable, error: ApplicationError) -> None:
    SLOW_BODIES.labels(error.code).inc()
    retry_after = ("Retry-After", "5")
    headers, content = refusal(
        error, request_id=request.request_id, headers=[retry_after]
    )
    request.expel(error.status, headers, content)


def _configured_pace() -> BodyPace:
    # Of the server's threads some are for what has no body, whatever comes.
    max_slow = max(1, settings.WEB_THREADS - 3)
    return BodyPace(
        grace_s=settings.WEB_BODY_GRACE_S,
        bytes_per_s=settings.WEB_BODY_BYTES_PER_S,
        max_slow=max_slow,
        max_slow_per_address=max(1, max_slow - 2),
    )
