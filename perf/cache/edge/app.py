"""Whole answers, given before Django: a WSGI application around another.

Who asks is found out first. Then level 1 is looked at, level 2, and last the view is
asked, by one of those who want the same. A view opts in (`perf.cache.edge.policy`); nothing
else is kept, and never an error, a cookie or a stream.
"""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from perf.cache.change_feed import Bus
from perf.cache.edge.computing import Computing
from perf.cache.edge.origin import Answer, kept_answer
from perf.cache.edge.policy import EdgePolicy
from perf.cache.edge.principals import Caller, Callers
from perf.cache.edge.remembered import AT_HAND_ONLY, NotAtHandError
from perf.cache.edge.request_key import Asked, Environ, asked_by, body_of, may_be_kept
from perf.cache.edge.response import Entry, Headers, StartResponse, respond
from perf.cache.edge.routes import Route, Routes
from perf.cache.local import LocalEntries
from perf.metrics import EDGE_REQUESTS
from riskplatform.api.request_id import HEADER, request_id_of

logger = logging.getLogger(__name__)
_FROM_MEMORY: Final = ("X-Cache", "l1")
OUTCOMES: Final = ("l1", "l2", "miss", "bypass")


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
        self._counters = {
            (route.name, outcome): EDGE_REQUESTS.labels(route.name, outcome)
            for route in routes
            for outcome in OUTCOMES
        }

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        route = self._routes.find(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if route is None:
            return self._pass_on(environ, start_response)
        self._bus.listen_in_background()
        is_live = self._bus.is_live
        asked = self._asked(route, environ, self._callers.find) if is_live else None
        if asked is None:
            self._count(route, "bypass")
            return self._pass_on(environ, _marking(start_response, "bypass"))
        # Now, so that the view and its log know it by the same name.
        request_id_of(environ)
        answer = self._find(asked, route.policy)
        self._count(route, answer.outcome)
        if (entry := answer.entry) is None:
            extra = [("X-Cache", answer.outcome)]
            start_response(answer.status, [*answer.headers, *extra])
            return answer.body
        extra = [("X-Cache", answer.outcome), (HEADER, request_id_of(environ))]
        give = _give if answer.is_kept else respond
        return give(environ, start_response, entry, extra)

    def at_hand(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        """Answer from level 1, without waiting for anything; None if that cannot be."""
        route = self._routes.find(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if route is None or not self._bus.is_live:
            return None
        with AT_HAND_ONLY:
            asked = self._asked(route, environ, self._callers.find_at_hand)
        entry = None if asked is None else self._local.get(asked.key)
        if entry is None or entry.is_past() or entry.is_due():
            return None
        self._count(route, "l1")
        extra = [_FROM_MEMORY, (HEADER, request_id_of(environ))]
        return _give(environ, start_response, entry, extra)

    def _asked(
        self,
        route: Route,
        environ: Environ,
        find_caller: Callable[[Environ], Caller | None],
    ) -> Asked | None:
        """Say what is asked and by whom; None where no kept answer will do."""
        if not may_be_kept(environ):
            return None
        body = body_of(environ, route.policy)
        if body is None:
            return None
        try:
            caller = find_caller(environ)
            if caller is not None:
                return asked_by(environ, body, caller, route.policy)
        except NotAtHandError:
            pass
        except Exception:
            # Whatever it is: Django can still answer.
            logger.exception("who asks could not be found out")
        return None

    def _find(self, asked: Asked, policy: EdgePolicy) -> Answer:
        entry = self._local.get(asked.key)
        if entry is None or entry.is_past():
            return self._computing.answer(asked, policy)
        if entry.is_due():
            refreshed = self._computing.refresh(asked, policy)
            if refreshed is not None and not _is_trouble(refreshed):
                return refreshed
        return kept_answer(entry, "l1")

    def _pass_on(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _count(self, route: Route, outcome: str) -> None:
        self._counters[route.name, outcome].inc()


def _give(
    environ: Environ, start_response: StartResponse, entry: Entry, extra: Headers
) -> Iterable[bytes]:
    """Answer with an entry that is kept, and say how old it is."""
    entry.hits += 1
    age_s = max(0, int(time.monotonic() - entry.created_s))
    extra.append(("Age", str(age_s)))
    return respond(environ, start_response, entry, extra)


def _is_trouble(answer: Answer) -> bool:
    """Tell an answer in whose place one that is still good can be given."""
    return answer.entry is not None and answer.entry.status.startswith("5")


def _marking(start_response: StartResponse, outcome: str) -> StartResponse:
    def start(status: str, headers: Headers, *rest: Any) -> Any:
        return start_response(status, [*headers, ("X-Cache", outcome)], *rest)

    return start
