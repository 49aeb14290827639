"""The server's threads give what is in memory; all else is for threads of our own.

A thread of the server that waits for a database is missing for probes and cached
responses. So each group of routes works in threads of its own (`ThreadGroup`), where
the server takes answers from them (`riskplatform.kernel.detaching`). Logins, ingestion
and exports do not take the threads of reads then, and more requests than can be
answered in time are refused. The time limit of a request begins when it arrives.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from django.conf import settings

from perf.deadlines import deadline
from perf.limits.callers import configured_callers
from perf.limits.fair_queue import QueuedRequest
from perf.limits.refusals import refuse_overload
from perf.limits.request_deadlines import time_limit_s
from perf.limits.routes import DEFAULT, HEALTH, configured_routes
from perf.limits.thread_group import ThreadGroup
from perf.request_times import RequestTimer
from perf.switches import Switch, is_on
from riskplatform.kernel.calls import counting
from riskplatform.kernel.detaching import DETACHABLE, Detachable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AtHand = Callable[["WSGIEnvironment", "StartResponse"], "Iterable[bytes] | None"]
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
        groups: Mapping[str, ThreadGroup] | None = None,
    ) -> None:
        self._app = app
        self._is_on = is_on(Switch.LIMITS)
        self._at_hand = at_hand or _nothing
        self._groups = groups or configured_groups()
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
        if environ["PATH_INFO"] == LIVENESS:
            timer = RequestTimer(environ, start_response, HEALTH)
            answer = self._app(environ, timer.start_response)
            timer.end()
            return answer
        return self._hand_over(request, environ, start_response)

    def _hand_over(
        self,
        request: Detachable,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        del environ[DETACHABLE]
        route_class = self._routes.of(environ["PATH_INFO"])
        limit_s = time_limit_s(route_class, environ.get("HTTP_X_REQUEST_TIMEOUT"))
        arrived_s = time.monotonic()
        refuse = partial(refuse_overload, environ, start_response, route_class)

        timer = RequestTimer(environ, start_response, route_class)

        def run() -> None:
            is_broken = True
            try:
                left_s = arrived_s + limit_s - time.monotonic()
                with deadline(left_s), counting(timer.calls):
                    request.deliver(self._answer(environ, timer.start_response))
                is_broken = False
            finally:
                timer.end(is_broken=is_broken)

        queued = QueuedRequest(
            caller=self._callers.name(environ),
            arrived_s=arrived_s,
            time_limit_s=limit_s,
            usual_limit_s=time_limit_s(route_class, None),
            run=run,
            refuse=lambda: request.deliver(refuse()),
        )
        group = self._groups.get(route_class) or self._groups[DEFAULT]
        return request.detach() if group.submit(queued) else refuse()

    def _answer(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        try:
            return self._app(environ, start_response)
        except Exception:
            logger.exception("a request could not be answered")
            start_response("500 Internal Server Error", [])
            return []


def configured_groups() -> dict[str, ThreadGroup]:
    """Give each group of routes its threads; all others share those of `default`."""
    groups = {
        name: ThreadGroup(
            name,
            max_inside=slots.inside,
            max_waiting=slots.waiting,
            max_per_caller=slots.per_caller,
        )
        for name, slots in settings.WEB_SLOTS.items()
    }
    groups[HEALTH] = ThreadGroup(HEALTH, max_inside=1, max_waiting=8, max_per_caller=1)
    return groups


def _nothing(_environ: "WSGIEnvironment", _start_response: "StartResponse") -> None:
    return None
