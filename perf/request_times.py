"""How requests ended, how long they took, and whether the response was cached."""

import time
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import Counter

from perf.batched_metrics import PendingTimes, pending
from perf.metrics import REQUEST_SECONDS, REQUESTS, RequestOutcome, Served
from perf.request_log import log_request
from riskplatform.kernel.calls import Calls

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# In the environment of a request: the name of its route, and where it came from.
ROUTE: Final = "perf.route"
CAME_FROM: Final = "perf.came_from"
CACHED: Final = frozenset({"l1", "l2"})


def cached_times(route: str, also: Counter) -> PendingTimes:
    """Give what takes the times of cached responses; `also` counts them too."""
    # Of the others too, at nothing: what begins with 1 is no increase to Prometheus.
    REQUEST_SECONDS.labels(route, Served.COMPUTED)
    for outcome in RequestOutcome:
        REQUESTS.labels(route, outcome)
    answered = REQUESTS.labels(route, RequestOutcome.ANSWERED)
    histogram = REQUEST_SECONDS.labels(route, Served.CACHED)
    return pending.times(histogram, (answered, also))


class RequestTimer:
    """Times one request that a thread of our own answers.

    Its time begins with this object; use `start_response` in the place of the given.
    """

    def __init__(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        route_class: str,
    ) -> None:
        self._environ = environ
        self._start_response = start_response
        self._route_class = route_class
        self._started_s = time.monotonic()
        self.calls = Calls()
        # A request that nothing answers was broken off.
        self._status = "500"

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        self._status = status
        return self._start_response(status, headers, exc_info)

    def end(self, *, is_broken: bool = False) -> None:
        taken_s = time.monotonic() - self._started_s
        is_cached = self._environ.get(CAME_FROM) in CACHED
        served = Served.CACHED if is_cached else Served.COMPUTED
        route = self._environ.get(ROUTE, self._route_class)
        REQUEST_SECONDS.labels(route, served).observe(taken_s)
        status = "500" if is_broken else self._status
        REQUESTS.labels(route, _outcome(status)).inc()
        log_request(
            self._environ,
            route=route,
            status=status,
            seconds=taken_s,
            calls=self.calls,
        )


def count_refusal(environ: "WSGIEnvironment", route_class: str) -> None:
    """Count a request that was refused because there was too much work."""
    REQUESTS.labels(environ.get(ROUTE, route_class), RequestOutcome.FAILED).inc()


def _outcome(status: str) -> RequestOutcome:
    if status < "4":
        return RequestOutcome.ANSWERED
    return RequestOutcome.REJECTED if status < "5" else RequestOutcome.FAILED
