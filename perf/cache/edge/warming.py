"""Computes responses ahead of requests, for principals who are known already."""

import io
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from perf.cache.change_feed import feed
from perf.cache.edge.computing import Answer, Computing
from perf.cache.edge.principals import EdgePrincipal
from perf.cache.edge.request_key import Environ, RequestParts, key_request
from perf.cache.edge.response import CachedResponse
from perf.cache.edge.routes import Routes, read_routes
from perf.cache.memory import ByteCache
from riskplatform.api.keys.models import ApiKey

WarmRequest = tuple[RequestParts, EdgePrincipal]


@dataclass(slots=True)
class WarmingReport:
    """What became of the requests, by outcome, and the bytes of the responses."""

    outcomes: Counter[str] = field(default_factory=Counter)
    nbytes: int = 0

    def note(self, answer: Answer | None) -> None:
        if answer is None or answer.response is None or not answer.is_cached:
            self.outcomes["refused"] += 1
            return
        self.outcomes["computed" if answer.outcome == "miss" else "present"] += 1
        self.nbytes += len(answer.response.body)


def warm(
    requests: Iterable[WarmRequest],
    *,
    jobs: int,
    on_progress: Callable[[WarmingReport], object],
) -> WarmingReport:
    """Fill level 2 with what is not there yet, on some threads; safe while serving.

    Web processes take from there what they need.
    """
    routes = read_routes()
    local = ByteCache[CachedResponse]("responses", max_bytes=0)
    computing = Computing(WSGIHandler(), local=local, feed=feed)
    report = WarmingReport()
    with ThreadPoolExecutor(jobs, thread_name_prefix="warming") as threads:
        waiting = [
            threads.submit(_warm_one, computing, routes, *request)
            for request in requests
        ]
        for done in as_completed(waiting):
            report.note(done.result())
            on_progress(report)
    return report


def _warm_one(
    computing: Computing, routes: Routes, parts: RequestParts, principal: EdgePrincipal
) -> Answer | None:
    route = routes.find(parts.method, parts.path)
    # Who people are and what they may do is read at each of their requests.
    if route is None or principal.access.permissions:
        return None
    known = _with_key(principal)
    try:
        keyed = key_request(_environ(parts), parts.body, known, route.policy)
        return computing.answer(keyed, route.policy)
    finally:
        connections.close_all()


def _with_key(principal: EdgePrincipal) -> EdgePrincipal:
    """Let a principal in without a key to show: it had one when it sent the request.

    Who sends it later has to show a key that is usable then.
    """
    access = principal.access
    if access.organisation_id is None:
        return principal
    key = ApiKey(organisation_id=access.organisation_id, scopes=sorted(access.scopes))
    return replace(principal, key=key)


def _environ(parts: RequestParts) -> Environ:
    """Make the request, as a server would."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": parts.method,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "CONTENT_LENGTH": str(len(parts.body)),
        "SERVER_NAME": _own_host(),
        "SERVER_PORT": "443" if parts.scheme == "https" else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(parts.body),
        "wsgi.errors": io.StringIO(),
    }
    given = {"HTTP_ACCEPT": parts.accept, "CONTENT_TYPE": parts.content_type}
    return environ | {name: value for name, value in given.items() if value}


def _own_host() -> str:
    """Name a host that Django answers under."""
    names = (name.lstrip(".") for name in settings.ALLOWED_HOSTS)
    return next((name for name in names if name not in {"", "*"}), "localhost")
