"""Rate limits: so many requests a period for each caller and class of routes."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings

from perf.limits.accounts import Accounts, Charge
from perf.limits.buckets import Limit, parse_limit
from perf.limits.callers import BY_ADDRESS, configured_callers
from perf.limits.refusals import Header, ThrottledError, refuse
from perf.limits.routes import DEFAULT, HEALTH, configured_routes
from perf.limits.shared_buckets import SharedBuckets
from perf.metrics import THROTTLED
from perf.shared_store import store
from perf.switches import Switch, is_on

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# A limit of this name counts every request of an address, whatever key it shows.
ADDRESS = "address"
# A limit of this name replaces `default` for requests without key or session.
ANONYMOUS = "anonymous"


class RateLimits:
    """WSGI middleware: answers 429 to callers over their limit."""

    def __init__(
        self, app: "WSGIApplication", *, accounts: Accounts | None = None
    ) -> None:
        self._app = app
        self._accounts = (
            Accounts(SharedBuckets(store)) if accounts is None else accounts
        )
        self._limits = configured_limits(settings.RATE_LIMITS)
        self._routes = configured_routes()
        self._callers = configured_callers()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        charged = self._charge(environ)
        if charged is None:
            return self._app(environ, start_response)
        limit, verdict = charged
        headers = _headers(limit, verdict)
        if not verdict.is_admitted:
            THROTTLED.labels(limit.name).inc()
            return _refuse(environ, start_response, verdict, headers)

        def start(status: str, own: list[Header], exc_info: Any = None) -> Any:
            # A new list: the answer's own may belong to a cache.
            return start_response(status, [*own, *headers], exc_info)

        return self._app(environ, start)

    def _charge(self, environ: "WSGIEnvironment") -> tuple[Limit, Charge] | None:
        """Charge the address, then the caller; the first that refuses decides."""
        if not self._limits or not is_on(Switch.LIMITS):
            return None
        route_class = self._routes.of(environ.get("PATH_INFO", ""))
        if route_class == HEALTH:
            return None
        charged = None
        for limit, caller in self._applicable(environ, route_class):
            key = f"{limit.name}:{caller}"
            verdict = self._accounts.charge(key, limit)
            charged = limit, verdict
            if not verdict.is_admitted:
                break
        return charged

    def _applicable(
        self, environ: "WSGIEnvironment", route_class: str
    ) -> Iterator[tuple[Limit, str]]:
        limits = self._limits
        if ADDRESS in limits:
            yield limits[ADDRESS], self._callers.address(environ)
        caller = self._callers.name(environ)
        limit = None if route_class == DEFAULT else limits.get(route_class)
        if limit is None and caller.startswith(BY_ADDRESS):
            limit = limits.get(ANONYMOUS)
        limit = limit or limits.get(DEFAULT)
        if limit is not None:
            yield limit, caller


def configured_limits(texts: Mapping[str, str]) -> dict[str, Limit]:
    return {name: parse_limit(name, text) for name, text in texts.items()}


def _headers(limit: Limit, verdict: Charge) -> list[Header]:
    missing = limit.n_requests - verdict.n_left
    full_s = math.ceil(verdict.wait_s or missing / limit.per_s)
    return [
        ("RateLimit-Policy", limit.policy),
        ("RateLimit", f'"{limit.name}";r={verdict.n_left};t={full_s}'),
    ]


def _refuse(
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    verdict: Charge,
    headers: list[Header],
) -> list[bytes]:
    wait_s = max(1, math.ceil(verdict.wait_s))
    error = ThrottledError(f"Too many requests. Try again in {wait_s} s.")
    retry_after = ("Retry-After", str(wait_s))
    return refuse(environ, start_response, error, [retry_after, *headers])
