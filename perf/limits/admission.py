"""Load shedding: so many requests at work in Django at once, the others wait or go."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from django.conf import settings

from perf.limits.queueing import Gate
from perf.limits.refusals import OverloadedError, refuse
from perf.limits.routes import HEALTH, configured_routes
from perf.metrics import SHED, WAIT_SECONDS, WAITING_REQUESTS
from perf.switches import Switch, is_on

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The class of long streams.
STREAMS = "exports"
# Whoever was sent away comes back at a time of their own.
RETRY_AFTER_S = (1, 3)


class Admission:
    """WSGI middleware: protects what is behind it from more work than it can do.

    An ordinary request gives its place back when the application returns: its answer
    is complete then, and how fast the client reads it is no work of ours. A stream is
    made while it is read, for minutes perhaps: streams have a few places of their own,
    which they keep until they end or are closed.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        gate: Gate | None = None,
        streams: Gate | None = None,
    ) -> None:
        self._app = app
        self._gate = gate or Gate(
            max_inside=settings.WEB_MAX_CONCURRENCY,
            max_waiting=settings.WEB_MAX_QUEUE,
        )
        self._streams = streams or Gate(
            max_inside=settings.WEB_MAX_STREAMS, max_waiting=0
        )
        self._routes = configured_routes()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        route_class = self._routes.of(environ.get("PATH_INFO", ""))
        if route_class == HEALTH or not is_on(Switch.LIMITS):
            return self._app(environ, start_response)
        gate = self._streams if route_class == STREAMS else self._gate
        if not _enter(gate):
            SHED.labels(route_class).inc()
            return _refuse(environ, start_response)
        try:
            response = self._app(environ, start_response)
        except BaseException:
            gate.leave()
            raise
        if gate is self._streams and getattr(response, "streaming", False):
            return _Held(response, gate.leave)
        gate.leave()
        return response


class _Held:
    """A stream that gives its place back when it ends or is closed, once."""

    def __init__(self, response: Iterable[bytes], leave: Callable[[], None]) -> None:
        self._response = response
        self._leave: Callable[[], None] | None = leave

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response
        self._give_back()

    def close(self) -> None:
        try:
            if hasattr(self._response, "close"):
                self._response.close()
        finally:
            self._give_back()

    def _give_back(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


def _enter(gate: Gate) -> bool:
    if gate.enter_at_once():
        return True
    started_s = time.monotonic()
    WAITING_REQUESTS.inc()
    try:
        return gate.enter()
    finally:
        WAITING_REQUESTS.dec()
        WAIT_SECONDS.observe(time.monotonic() - started_s)


def _refuse(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
    error = OverloadedError("More requests wait than can be answered. Try again.")
    wait_s = random.randint(*RETRY_AFTER_S)  # noqa: S311 - spreads retries, no secret
    return refuse(environ, start_response, error, [("Retry-After", str(wait_s))])
