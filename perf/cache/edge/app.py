"""Cached responses, given before Django: a WSGI application around another.

The principal is found first. Then level 1 is looked at, level 2, and last the view is
called, by one of those who want the same. A view opts in (`perf.cache.edge.policy`);
nothing else is cached, and never an error, a cookie or a stream.
"""

import logging
import time
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any, Final

from django.conf import settings

from perf.cache.change_feed import ChangeFeed, feed
from perf.cache.edge.computing import SHARED_FROM_S, Computing, EdgeResponse
from perf.cache.edge.policy import EdgePolicy
from perf.cache.edge.principals import Principals
from perf.cache.edge.request_key import (
    Environ,
    KeyedRequest,
    is_cacheable,
    key_request,
    read_body,
)
from perf.cache.edge.response import CachedResponse, Headers, StartResponse, respond
from perf.cache.edge.routes import Route, Routes, read_routes
from perf.cache.edge.warming import count_hits
from perf.cache.lifetimes import is_due
from perf.cache.memory import ByteCache
from perf.cache.remembered import AT_HAND_ONLY, NotAtHandError
from perf.metrics import EDGE_REQUESTS
from perf.request_times import CAME_FROM, ROUTE, cached_times
from perf.switches import Switch, is_on
from riskplatform.api.request_id import HEADER, request_id_of

logger = logging.getLogger(__name__)
_FROM_MEMORY: Final = ("X-Cache", "l1")
# Between two times of tidying up.
POPULAR_HITS: Final = 20
# What `at_hand` has found out about a request, and in which generation of copies.
KEYED: Final = "perf.edge.keyed"
OUTCOMES: Final = ("l1", "l2", "miss", "bypass")

Application = Callable[[Environ, StartResponse], Iterable[bytes]]


def with_edge_cache(app: Application) -> Application:
    """Put the edge cache before an application, unless it is switched off."""
    if not is_on(Switch.EDGE):
        return app
    routes, local_bytes = read_routes(), settings.EDGE_LOCAL_BYTES
    return EdgeCache(app, feed=feed, routes=routes, local_bytes=local_bytes)


class EdgeCache:
    """Gives cached responses, calls `app` for the rest; safe between threads."""

    def __init__(
        self,
        app: Application,
        *,
        feed: ChangeFeed,
        routes: Routes,
        local_bytes: int,
        shared_from_s: float = SHARED_FROM_S,
    ) -> None:
        self._app = app
        self._feed = feed
        self._routes = routes
        # One response never drives out most of the others.
        self._local = local = ByteCache[CachedResponse](
            "responses", max_bytes=local_bytes, max_value_bytes=local_bytes // 8
        )
        self._principals = Principals(feed.copies)
        self._computing = Computing(
            app, local=local, feed=feed, shared_from_s=shared_from_s
        )
        self._counters = {
            (route.name, outcome): EDGE_REQUESTS.labels(route.name, outcome)
            for route in routes
            for outcome in OUTCOMES
        }
        self._times = {
            route.name: cached_times(route.name, self._counters[route.name, "l1"])
            for route in routes
        }
        feed.copies.attach(local)
        self._packing: Thread | None = None
        feed.on_tidy.append(self._tidy)

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        route = self._routes.find(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if route is None:
            return self._app(environ, start_response)
        environ[ROUTE] = route.name
        self._feed.listen_in_background()
        # Taken out, because it refers to the environment in turn.
        generation, keyed = environ.pop(KEYED, (None, None))
        if not self._feed.is_live:
            keyed = None
        elif keyed is None or generation != self._feed.copies.generation:
            keyed = self._keyed(route, environ)
        if keyed is None:
            self._count(route, "bypass")
            return self._app(environ, _marking(start_response, "bypass"))
        # Now, so that the view and its log know it by the same name.
        request_id_of(environ)
        found = self._find(keyed, route.policy)
        self._count(route, found.outcome)
        environ[CAME_FROM] = found.outcome
        if (response := found.response) is None:
            start_response(found.status, [*found.headers, ("X-Cache", found.outcome)])
            return found.stream
        extra = [("X-Cache", found.outcome), (HEADER, request_id_of(environ))]
        if found.is_cached:
            _note_hit(response, extra, time.monotonic())
        body = respond(environ, start_response, response, extra)
        return body if found.then is None else _Followed(body, found.then)

    def at_hand(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        """Answer from level 1, without waiting for anything; None if that cannot be."""
        started_s = time.monotonic()
        route = self._routes.find(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if route is None:
            return None
        environ[ROUTE] = route.name
        generation = self._feed.copies.generation
        with AT_HAND_ONLY:
            keyed = self._keyed(route, environ) if self._feed.is_live else None
        response = None if keyed is None else self._local.get(keyed.key)
        if response is None:
            environ[KEYED] = generation, keyed
            return None
        now_s = time.monotonic()
        left_s = response.expires_s - now_s
        if left_s <= 0.0 or is_due(left_s, response.cost_s):
            return None
        extra = [_FROM_MEMORY, (HEADER, request_id_of(environ))]
        _note_hit(response, extra, now_s)
        body = respond(environ, start_response, response, extra)
        self._times[route.name].append(time.monotonic() - started_s)
        return body

    def _keyed(self, route: Route, environ: Environ) -> KeyedRequest | None:
        """Give the key of a request; None where no cached response will do."""
        if not is_cacheable(environ):
            return None
        body = read_body(environ, route.policy)
        if body is None:
            return None
        try:
            principal = self._principals.find(environ)
            if principal is not None:
                return key_request(environ, body, principal, route.policy)
        except NotAtHandError:
            pass
        except Exception:
            # Whatever it is: Django can still answer.
            logger.exception("the principal of a request could not be found")
        return None

    def _find(self, keyed: KeyedRequest, policy: EdgePolicy) -> EdgeResponse:
        response = self._local.get(keyed.key)
        left_s = 0.0 if response is None else response.expires_s - time.monotonic()
        if response is None or left_s <= 0.0:
            return self._computing.find_or_compute(keyed, policy)
        if is_due(left_s, response.cost_s):
            refreshed = self._computing.refresh(keyed, policy)
            if refreshed is not None and not refreshed.is_server_error:
                return refreshed
        return EdgeResponse(response=response, is_cached=True, outcome="l1")

    def _tidy(self) -> None:
        """Compress better what was hit often since the last time, and count all hits.

        In a thread of its own, because the thread that tidies listens for changes.
        """
        popular = [each for each in self._local if each.hits >= POPULAR_HITS]
        waiting = [each for each in popular if not each.is_packed]
        if waiting and (self._packing is None or not self._packing.is_alive()):
            self._packing = Thread(target=_pack, args=(waiting,), daemon=True)
            self._packing.start()
        count_hits(self._local, self._feed.store)

    def _count(self, route: Route, outcome: str) -> None:
        self._counters[route.name, outcome].inc()


class _Followed(list[bytes]):
    """A body after which something is done: servers close it when it has been sent."""

    def __init__(self, body: Iterable[bytes], then: Callable[[], None]) -> None:
        super().__init__(body)
        self.close = then


def _pack(responses: Iterable[CachedResponse]) -> None:
    for response in responses:
        response.pack()


def _note_hit(response: CachedResponse, extra: Headers, now_s: float) -> None:
    """Count the use of a cached response, and say how old it is."""
    response.hits += 1
    extra.append(("Age", str(max(0, int(now_s - response.created_s)))))


def _marking(start_response: StartResponse, outcome: str) -> StartResponse:
    def start(status: str, headers: Headers, *rest: Any) -> Any:
        return start_response(status, [*headers, ("X-Cache", outcome)], *rest)

    return start
