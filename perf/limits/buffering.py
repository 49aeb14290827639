"""Before Django is asked: whole bodies, and threads that others do not need.

On a server that takes answers from other threads (`riskplatform.kernel.detaching`) a
short body is read in the server's own thread, while that leaves threads for others,
and any other body in a thread of its own; whoever sends it too slowly is sent away.
Groups of routes with own threads work there. Elsewhere, as in development, nothing of
this happens.
"""

import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import IO, TYPE_CHECKING, Final

from django.conf import settings
from django.db import connections

from perf.limits.admission import ADMITTED, refuse_overload
from perf.limits.body_reading import (
    PIECE_BYTES,
    BodyPace,
    BodyReader,
    SlowBodyError,
)
from perf.limits.callers import BY_ADDRESS, configured_callers
from perf.limits.own_threads import Job, OwnThreads
from perf.limits.queueing import Gate
from perf.limits.refusals import refusal, refuse
from perf.limits.routes import DEFAULT, configured_routes
from perf.limits.thread_reserve import ThreadReserve
from perf.metrics import SHED, SLOW_BODIES
from perf.switches import Switch, is_on
from riskplatform.kernel.detaching import DETACHABLE, Detachable
from riskplatform.kernel.errors import BodyTooLargeError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Bodies that are read at once in threads of their own, and those of one address; and
# how many of them may be large.
MAX_READING, MAX_READING_PER_ADDRESS = 64, 16
MAX_LARGE, MAX_LARGE_PER_ADDRESS = 6, 3
LARGE_BYTES: Final = 1 << 20
# For all of a body, however fast its pieces come.
BODY_TIMEOUT_S: Final = 600.0
# The class of routes that take the largest bodies, from those who show a key.
INGESTION: Final = "events"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exchange:
    """A request that is answered from another thread; no `length` is an unknown one."""

    request: Detachable
    environ: "WSGIEnvironment"
    start_response: "StartResponse"
    route_class: str
    length: int | None
    caller: str
    address: str

    @property
    def is_large(self) -> bool:
        return self.length is None or self.length > LARGE_BYTES

    @property
    def most_bytes(self) -> int:
        """How large a body may be; Django says so again, when it is too late here."""
        is_anonymous = self.caller.startswith(BY_ADDRESS)
        if self.route_class == INGESTION and not is_anonymous:
            return int(settings.INGEST_MAX_BODY_BYTES)
        return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

    def overloaded(self) -> list[bytes]:
        SHED.labels(self.route_class).inc()
        return refuse_overload(self.environ, self.start_response)

    def too_large(self) -> list[bytes]:
        error = BodyTooLargeError(
            f"The body is larger than the {self.most_bytes} bytes allowed."
        )
        return refuse(self.environ, self.start_response, error, [])


class Buffering:
    """WSGI middleware: see the module."""

    def __init__(self, app: "WSGIApplication", *, reserve: ThreadReserve) -> None:
        self._app = app
        self._reserve = reserve
        self._routes = configured_routes()
        self._callers = configured_callers()
        self._threads = _configured_threads()
        self._reader = BodyReader(_configured_pace(), _expel)
        self._reading = Gate(
            max_inside=MAX_READING,
            max_waiting=0,
            max_per_caller=MAX_READING_PER_ADDRESS,
        )
        self._reading_large = Gate(
            max_inside=MAX_LARGE, max_waiting=0, max_per_caller=MAX_LARGE_PER_ADDRESS
        )

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request: Detachable | None = environ.get(DETACHABLE)
        if request is None or not is_on(Switch.LIMITS):
            return self._app(environ, start_response)
        route_class = self._routes.of(environ["PATH_INFO"])
        works_apart = route_class in self._threads
        length = _body_length(environ)
        if length == 0 and not works_apart:
            return self._app(environ, start_response)
        is_short = length is not None and length <= PIECE_BYTES and not works_apart
        if is_short and self._reserve.begin_reading():
            return self._read_here(request, environ, start_response, length or 0)
        # From here on it is no thread of the server that works on it.
        del environ[DETACHABLE]
        return self._take_apart(
            _Exchange(
                request=request,
                environ=environ,
                start_response=start_response,
                route_class=route_class,
                length=length,
                caller=self._callers.name(environ),
                address=self._callers.address(environ),
            )
        )

    def _read_here(
        self,
        request: Detachable,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        length: int,
    ) -> Iterable[bytes]:
        try:
            body = self._reader.read_short(request, environ["wsgi.input"], length)
        except SlowBodyError:
            return request.detach()
        finally:
            self._reserve.end_reading()
        environ["wsgi.input"] = io.BytesIO(body)
        return self._app(environ, start_response)

    def _take_apart(self, exchange: _Exchange) -> Iterable[bytes]:
        """Go on in another thread, or refuse in this one."""
        length = exchange.length
        if length == 0:
            is_taken = self._submit(exchange, io.BytesIO())
            return exchange.request.detach() if is_taken else exchange.overloaded()
        if length is not None and length > exchange.most_bytes:
            return exchange.too_large()
        if not self._begin_reading(exchange):
            return exchange.overloaded()
        Thread(target=self._read, args=(exchange,), name="body", daemon=True).start()
        return exchange.request.detach()

    def _read(self, exchange: _Exchange) -> None:
        stream, request = exchange.environ["wsgi.input"], exchange.request
        try:
            body = self._reader.read(
                request, stream, exchange.length, most=exchange.most_bytes
            )
        except SlowBodyError:
            return
        except BodyTooLargeError:
            request.deliver(exchange.too_large())
            return
        finally:
            self._end_reading(exchange)
        exchange.environ["wsgi.input"] = body
        if exchange.route_class not in self._threads:
            self._work(exchange, body)
            # This thread ends; its connections are not to stay.
            connections.close_all()
        elif not self._submit(exchange, body):
            body.close()
            request.deliver(exchange.overloaded())

    def _submit(self, exchange: _Exchange, body: IO[bytes]) -> bool:
        exchange.environ[ADMITTED] = True
        job = Job(
            caller=exchange.caller,
            run=partial(self._work, exchange, body),
            refuse=lambda: exchange.request.deliver(exchange.overloaded()),
        )
        return self._threads[exchange.route_class].submit(job)

    def _work(self, exchange: _Exchange, body: IO[bytes]) -> None:
        with body:
            try:
                answer = self._app(exchange.environ, exchange.start_response)
            except Exception:
                logger.exception("a request could not be answered")
                exchange.start_response("500 Internal Server Error", [])
                answer = []
            exchange.request.deliver(answer)

    def _begin_reading(self, exchange: _Exchange) -> bool:
        if not self._reading.enter_at_once(exchange.address):
            return False
        if exchange.is_large and not self._reading_large.enter_at_once(
            exchange.address
        ):
            self._reading.leave(exchange.address)
            return False
        return True

    def _end_reading(self, exchange: _Exchange) -> None:
        if exchange.is_large:
            self._reading_large.leave(exchange.address)
        self._reading.leave(exchange.address)


def _body_length(environ: "WSGIEnvironment") -> int | None:
    """Tell how long a body is; None where that shows only at its end."""
    length = environ.get("CONTENT_LENGTH")
    if length is not None:
        return int(length) if length.isascii() and length.isdigit() else 0
    return None if "HTTP_TRANSFER_ENCODING" in environ else 0


def _expel(request: Detachable) -> None:
    SLOW_BODIES.inc()
    error = SlowBodyError(
        "The body did not come in time. Send it again, faster or in parts."
    )
    headers, content = refusal(error, request_id="", headers=[])
    request.expel(error.status, headers, content)


def _configured_pace() -> BodyPace:
    return BodyPace(
        grace_s=settings.WEB_BODY_GRACE_S,
        bytes_per_s=settings.WEB_BODY_BYTES_PER_S,
        timeout_s=BODY_TIMEOUT_S,
    )


def _configured_threads() -> dict[str, OwnThreads]:
    """Give each group threads of its own, but for the one that most belongs to."""
    return {
        name: OwnThreads(
            name,
            max_inside=places.inside,
            max_waiting=places.waiting,
            max_per_caller=places.per_caller,
        )
        for name, places in settings.WEB_PLACES.items()
        if name != DEFAULT
    }
