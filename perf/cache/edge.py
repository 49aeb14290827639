"""Whole answers, given before Django: a WSGI application around another.

Who asks is found out first. Then level 1 is looked at, level 2, and last the view is
asked, by one of those who want the same. A view opts in (`perf.cache.policy`); nothing
else is kept, and never an error, a cookie or a stream.
"""

import math
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

from perf.cache.asking import Answer
from perf.cache.bus import Bus
from perf.cache.callers import Callers
from perf.cache.computing import Computing
from perf.cache.entries import Entry, Headers, StartResponse, respond
from perf.cache.local import LocalEntries
from perf.cache.questions import Asked, Environ, asked_by, question_of
from perf.cache.routes import Route, Routes
from perf.metrics import EDGE_REQUESTS
from riskplatform.api.request_id import HEADER, accepted_request_id


class EdgeCache:
    """Answers what it has, asks `app` for the rest; safe between threads."""

    def __init__(
        self,
        app: Any,
        *,
        routes: Routes,
        callers: Callers,
        local: LocalEntries,
        computing: Computing,
        bus: Bus,
    ) -> None:
        self._app = app
        self._routes = routes
        self._callers = callers
        self._local = local
        self._computing = computing
        self._bus = bus
        self.outcomes: Counter[tuple[str, str]] = Counter()

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        route = self._routes.find(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if route is None:
            return self._pass_on(environ, start_response)
        self._bus.listen_in_background()
        asked = self._asked(route, environ) if self._bus.is_live else None
        if asked is None:
            self._count(route, "bypass")
            return self._pass_on(environ, _marking(start_response, "bypass"))
        answer = self._find(route, asked, environ)
        if (entry := answer.entry) is not None:
            self._count(route, answer.outcome)
            extra = _headers_of_one_request(environ, entry, answer.outcome)
            return respond(environ, start_response, entry, extra)
        self._count(route, "miss")
        start_response(answer.status, [*answer.headers, ("X-Cache", "miss")])
        return answer.body

    def _asked(self, route: Route, environ: Environ) -> Asked | None:
        """Say what is asked and by whom; None where no kept answer will do."""
        question = question_of(environ, route.policy)
        if question is None:
            return None
        caller = self._callers.find(environ)
        return None if caller is None else asked_by(question, caller, route.policy)

    def _find(self, route: Route, asked: Asked, environ: Environ) -> Answer:
        entry = self._local.get(asked.key)
        if entry is None or _is_past(entry):
            return self._computing.answer(asked, environ, route.policy)
        if _is_due(entry):
            refreshed = self._computing.refresh(asked, environ, route.policy)
            if refreshed is not None and refreshed.entry is not None:
                return refreshed
        return Answer(entry=entry, headers=entry.headers, outcome="l1")

    def _pass_on(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _count(self, route: Route, outcome: str) -> None:
        self.outcomes[route.name, outcome] += 1
        EDGE_REQUESTS.labels(route.name, outcome).inc()


def _is_past(entry: Entry) -> bool:
    return time.monotonic() >= entry.expires_s


def _is_due(entry: Entry) -> bool:
    """Draw whether to compute anew a little early, as XFetch does.

    The nearer the end and the dearer the computation, the likelier: so one of many
    callers does it before the end, and none has to wait at it (Vattani and others,
    2015, Optimal probabilistic cache stampede prevention).
    """
    left_s = entry.expires_s - time.monotonic()
    if left_s > 10.0 * entry.cost_s:
        return False
    early_s = -math.log(1.0 - random.random()) * entry.cost_s  # noqa: S311 - no secret
    return early_s >= left_s


def _headers_of_one_request(environ: Environ, entry: Entry, outcome: str) -> Headers:
    entry.hits += 1
    age_s = max(0, int(time.monotonic() - entry.created_s))
    request_id = accepted_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
    return [
        ("Age", str(age_s)),
        ("X-Cache", outcome),
        (HEADER, request_id or uuid.uuid4().hex),
    ]


def _marking(start_response: StartResponse, outcome: str) -> StartResponse:
    def start(status: str, headers: Headers, *rest: Any) -> Any:
        return start_response(status, [*headers, ("X-Cache", outcome)], *rest)

    return start
