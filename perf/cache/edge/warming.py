"""Computes responses ahead of requests: those that come most often, or that apps name.

Requests are counted over all processes. Counts are halved now and then: what was
popular long ago fades.

An app adds `subjects` in `<app>/warmup.py`: things by whose name people choose, the
names of changes that responses about them depend on, and which requests come first.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from redis import Redis

from perf.cache.change_feed import feed
from perf.cache.edge.computing import Computing, EdgeResponse
from perf.cache.edge.principals import EdgePrincipal
from perf.cache.edge.request_key import (
    Environ,
    RequestParts,
    key_request,
    read_written_request,
)
from perf.cache.edge.response import CachedResponse
from perf.cache.edge.routes import Routes, read_routes
from perf.cache.memory import ByteCache
from perf.cache.store import KEYS
from perf.shared_store import SharedStore
from riskplatform.api.keys.models import ApiKey

COUNTS: Final = KEYS + "requests"
FADED: Final = KEYS + "requests:faded"
MOST_REMEMBERED: Final = 2_000
FADE_EVERY_S: Final = 3_600
# Longer requests are made by programs that seldom repeat them.
MAX_REQUEST_BYTES: Final = 16 << 10

WarmRequest = tuple[RequestParts, EdgePrincipal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something whose responses can be warmed.

    Parameters
    ----------
    name
        Gives the name of changes for what was chosen.
    requests
        Gives those about what was chosen, or, for None, about the most important.
    """

    help: str
    name: Callable[[str], str]
    requests: Callable[[str | None], Iterable[WarmRequest]]


# By their options on the command line.
subjects: dict[str, Subject] = {}


def common_request(
    path: str, *, query: str = "", body: bytes = b"", scheme: str = "http"
) -> RequestParts:
    """Describe a request as common clients send it: JSON, any response accepted."""
    method, content_type = ("POST", "application/json") if body else ("GET", "")
    return RequestParts(method, scheme, path, query, "*/*", content_type, body)


def count_hits(responses: Iterable[CachedResponse], store: SharedStore) -> None:
    """Add the hits since the last time; a few more or less do not matter."""
    hits: Counter[bytes] = Counter()
    for response in responses:
        if response.hits and len(response.request) <= MAX_REQUEST_BYTES:
            hits[response.request] += response.hits
            response.hits = 0

    def add(redis: Redis) -> None:
        is_time_to_fade = redis.set(FADED, "1", nx=True, ex=FADE_EVERY_S)
        with redis.pipeline(transaction=False) as pipeline:
            if is_time_to_fade:
                pipeline.zunionstore(COUNTS, {COUNTS: 0.5})
            for written, count in hits.items():
                pipeline.zincrby(COUNTS, count, written)
            pipeline.zremrangebyrank(COUNTS, 0, -MOST_REMEMBERED - 1)
            pipeline.execute()

    if hits:
        store.run(add)


def most_requested(store: SharedStore) -> list[tuple[WarmRequest, frozenset[str]]]:
    """List the requests that came most often, the most popular first.

    Each comes with what its sender may do, and the names its response depends on.
    """
    counted: Any = store.run(lambda redis: redis.zrevrange(COUNTS, 0, -1))
    found = []
    for written in counted:
        # It may have been written by another version.
        with suppress(msgspec.MsgspecError):
            parts, access, names = read_written_request(written)
            found.append(((parts, EdgePrincipal(access=access)), names))
    return found


def warm(requests: Iterable[WarmRequest], *, jobs: int) -> Iterator[tuple[str, int]]:
    """Fill level 2 with what is not there yet, on some threads; safe while serving.

    Web processes take from there what they need. Gives for each request, as it is
    done, what became of it (computed, present or refused), and the bytes there are.
    """
    routes = read_routes()
    local = ByteCache[CachedResponse]("responses", max_bytes=0)
    computing = Computing(WSGIHandler(), local=local, feed=feed, shared_from_s=0.0)
    with ThreadPoolExecutor(jobs, thread_name_prefix="warming") as threads:
        waiting = [
            threads.submit(_warm_one, computing, routes, *request)
            for request in requests
        ]
        for done in as_completed(waiting):
            found = done.result()
            if found is None or found.response is None or not found.is_cached:
                yield "refused", 0
            else:
                outcome = "computed" if found.outcome == "miss" else "present"
                yield outcome, len(found.response.body)


def _warm_one(
    computing: Computing, routes: Routes, parts: RequestParts, principal: EdgePrincipal
) -> EdgeResponse | None:
    route = routes.find(parts.method, parts.path)
    access = principal.access
    # Who people are and what they may do is read at each of their requests.
    if route is None or access.permissions:
        return None
    if access.organisation_id is not None:
        # It is let in without a key to show: it had one when it sent the request. Who
        # sends it later has to show a key that is usable then.
        scopes = sorted(access.scopes)
        key = ApiKey(organisation_id=access.organisation_id, scopes=scopes)
        principal = replace(principal, key=key)
    try:
        keyed = key_request(_environ(parts), parts.body, principal, route.policy)
        found = computing.find_or_compute(keyed, route.policy)
        if found.then is not None:
            found.then()
        return found
    finally:
        connections.close_all()


def _environ(parts: RequestParts) -> Environ:
    """Make the request, as a server would."""
    hosts = (name.lstrip(".") for name in settings.ALLOWED_HOSTS)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": parts.method,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "CONTENT_LENGTH": str(len(parts.body)),
        # One that Django answers under.
        "SERVER_NAME": next((n for n in hosts if n not in {"", "*"}), "localhost"),
        "SERVER_PORT": "443" if parts.scheme == "https" else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(parts.body),
        "wsgi.errors": io.StringIO(),
    }
    given = {"HTTP_ACCEPT": parts.accept, "CONTENT_TYPE": parts.content_type}
    return environ | {name: value for name, value in given.items() if value}
