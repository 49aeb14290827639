"""Load shedding: so many requests run in Django at once, the others wait or get a 503.

Each group of routes has slots of its own, so that logins, ingestion and exports do not
take those of reads; and no caller gets all slots of a group.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings

from perf.limits.callers import configured_callers
from perf.limits.queueing import Gate
from perf.limits.refusals import OverloadedError, refuse
from perf.limits.routes import DEFAULT, HEALTH, configured_routes
from perf.metrics import SHED, WAIT_SECONDS, WAITING_REQUESTS
from perf.switches import Switch, is_on

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The class of long streams.
STREAMS = "exports"
# In the environment of a request that has a slot already.
ADMITTED = "riskplatform.admitted"
# Drawn at random, so that refused clients do not come back all at once.
RETRY_AFTER_S = (1, 3)


class Admission:
    """WSGI middleware: protects what is behind it from more work than it can do.

    An ordinary request gives its slot back when the application returns: its answer
    is complete then, and how fast the client reads it is no work of ours. A stream is
    made while it is read, for minutes perhaps: it keeps its slot until it ends or is
    closed.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        gate: Gate | None = None,
        streams: Gate | None = None,
    ) -> None:
        self._app = app
        self._gates = {name: _gate(name) for name in settings.WEB_SLOTS}
        self._gates |= {DEFAULT: gate} if gate else {}
        self._gates |= {STREAMS: streams} if streams else {}
        self._routes = configured_routes()
        self._callers = configured_callers()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        route_class = self._routes.of(environ.get("PATH_INFO", ""))
        if route_class == HEALTH or environ.get(ADMITTED) or not is_on(Switch.LIMITS):
            return self._app(environ, start_response)
        gate = self._gates.get(route_class) or self._gates[DEFAULT]
        caller = self._callers.name(environ)
        if not _enter(gate, caller):
            SHED.labels(route_class).inc()
            return refuse_overload(environ, start_response)
        leave = partial(gate.leave, caller)
        try:
            response = self._app(environ, start_response)
        except BaseException:
            leave()
            raise
        if route_class == STREAMS and getattr(response, "streaming", False):
            return _Held(response, leave)
        leave()
        return response


class _Held:
    """A stream that gives its slot back when it ends or is closed, once."""

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


def refuse_overload(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> list[bytes]:
    """Refuse a request that there is no slot for."""
    error = OverloadedError("More requests wait than can be answered. Try again.")
    wait_s = random.randint(*RETRY_AFTER_S)  # noqa: S311 - spreads retries, no secret
    return refuse(environ, start_response, error, [("Retry-After", str(wait_s))])


def _gate(group: str) -> Gate:
    slots = settings.WEB_SLOTS[group]
    return Gate(
        max_inside=slots.inside,
        max_waiting=slots.waiting,
        max_per_caller=slots.per_caller,
    )


def _enter(gate: Gate, caller: str) -> bool:
    if gate.enter_at_once(caller):
        return True
    started_s = time.monotonic()
    WAITING_REQUESTS.inc()
    try:
        return gate.enter(caller)
    finally:
        WAITING_REQUESTS.dec()
        WAIT_SECONDS.observe(time.monotonic() - started_s)
