"""Which requests a cached response may answer: those whose view declares a policy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from perf.cache.edge.policy import EdgePolicy

# Ours are shorter; what strangers send is not remembered.
MAX_PATH_CHARS = 512

Patterns = list[URLPattern | URLResolver]


@dataclass(frozen=True, slots=True)
class Route:
    """An address that opted in."""

    name: str
    regex: re.Pattern[str]
    policy: EdgePolicy


class Routes:
    """Finds the route of a request without Django."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = routes
        # Most requests are for addresses that were requested before.
        self._remembered = lru_cache(maxsize=8_192)(self._find)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def find(self, method: str, path: str) -> Route | None:
        return self._remembered(method, path) if len(path) <= MAX_PATH_CHARS else None

    def _find(self, method: str, path: str) -> Route | None:
        for route in self._routes:
            if route.policy.method == method and route.regex.match(path):
                return route
        return None


def read_routes() -> Routes:
    """Collect the views that declare `edge`, with the addresses they have."""
    return Routes(tuple(_routes(get_resolver().url_patterns, "^/")))


def _routes(patterns: Patterns, prefix: str) -> Iterator[Route]:
    for part in patterns:
        if not isinstance(part.pattern, RoutePattern):
            continue
        text = prefix + part.pattern.regex.pattern.removeprefix("^")
        if isinstance(part, URLResolver):
            yield from _routes(part.url_patterns, text)
            continue
        policy = getattr(getattr(part.callback, "view_class", None), "edge", None)
        if policy is not None:
            yield Route(part.name or text, re.compile(text), policy)
