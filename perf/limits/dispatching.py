"""The server's threads give what is in memory; all else is for threads of our own.

A thread of the server that waits for a database is missing for probes and cached
responses. So each group of routes works in threads of its own (`OwnThreads`), where
the server takes answers from them (`riskplatform.kernel.detaching`).
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from django.conf import settings

from perf.limits.admission import ADMITTED, refuse_overload
from perf.limits.callers import configured_callers
from perf.limits.own_threads import OwnThreads, QueuedRequest
from perf.limits.routes import DEFAULT, HEALTH, configured_routes
from perf.metrics import SHED
from perf.switches import Switch, is_on
from riskplatform.kernel.detaching import DETACHABLE, Detachable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AtHand = Callable[["WSGIEnvironment", "StartResponse"], "Iterable[bytes] | None"]
# Of the ordinary requests many may wait: most of them for one and the same computation.
MAX_WAITING: Final = 256
# Answered in whatever thread there is. Other probes query databases.
LIVENESS: Final = "/health/live"

logger = logging.getLogger(__name__)


class Dispatching:
    """WSGI middleware: see the module.

    `at_hand` answers without waiting for anything, or gives None.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        at_hand: AtHand | None = None,
        threads: Mapping[str, OwnThreads] | None = None,
    ) -> None:
        self._app = app
        self._is_on = is_on(Switch.LIMITS)
        self._at_hand = at_hand or _nothing
        self._threads = threads or configured_threads()
        self._routes = configured_routes()
        self._callers = configured_callers()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request: Detachable | None = environ.get(DETACHABLE)
        if request is None or not self._is_on:
            return self._app(environ, start_response)
        answer = self._at_hand(environ, start_response)
        if answer is not None:
            return answer
        route_class = self._routes.of(environ["PATH_INFO"])
        if environ["PATH_INFO"] == LIVENESS:
            return self._app(environ, start_response)
        return self._hand_over(request, environ, start_response, route_class)

    def _hand_over(
        self,
        request: Detachable,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        route_class: str,
    ) -> Iterable[bytes]:
        del environ[DETACHABLE]
        group = route_class if route_class in self._threads else DEFAULT
        # Where a group has threads of its own, these are its slots.
        environ[ADMITTED] = group != DEFAULT
        refuse = partial(_refuse, environ, start_response, route_class)
        job = QueuedRequest(
            caller=self._callers.name(environ),
            run=partial(self._answer, request, environ, start_response),
            refuse=lambda: request.deliver(refuse()),
        )
        is_taken = self._threads[group].submit(job)
        return request.detach() if is_taken else refuse()

    def _answer(
        self,
        request: Detachable,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> None:
        try:
            answer = self._app(environ, start_response)
        except Exception:
            logger.exception("a request could not be answered")
            start_response("500 Internal Server Error", [])
            answer = []
        request.deliver(answer)


def configured_threads() -> dict[str, OwnThreads]:
    """Give each group the threads of its slots; most belong to `default`."""
    threads = settings.WEB_THREADS
    own = {
        name: OwnThreads(
            name,
            max_inside=slots.inside,
            max_waiting=slots.waiting,
            max_per_caller=slots.per_caller,
        )
        for name, slots in settings.WEB_SLOTS.items()
        if name != DEFAULT
    }
    own[HEALTH] = OwnThreads(HEALTH, max_inside=1, max_waiting=8, max_per_caller=1)
    # Here the slots are Admission's: a request that waits for the computation of
    # another holds none.
    own[DEFAULT] = OwnThreads(
        DEFAULT,
        max_inside=threads,
        max_waiting=MAX_WAITING,
        max_per_caller=max(1, threads - 2),
    )
    return own


def _nothing(_environ: "WSGIEnvironment", _start_response: "StartResponse") -> None:
    return None


def _refuse(
    environ: "WSGIEnvironment", start_response: "StartResponse", route_class: str
) -> list[bytes]:
    SHED.labels(route_class).inc()
    return refuse_overload(environ, start_response)
