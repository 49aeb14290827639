"""An edge cache around a small application of the test's own, on the real Redis."""

import io
import itertools
import os
import re
import uuid
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from perf.cache.change_feed import ChangeFeed
from perf.cache.edge.app import EdgeCache
from perf.cache.edge.policy import PLAN_KEY, EdgePolicy
from perf.cache.edge.routes import Route, Routes
from perf.circuit_breaker import CircuitBreaker
from perf.shared_store import SharedStore
from tests.support.waiting import wait_until

LOCAL_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def came_from(self) -> str:
        return self.headers["X-Cache"]


@dataclass(slots=True)
class CountingApp:
    """Answers each call with the number of calls so far, resting on `names`."""

    names: frozenset[str]
    calls: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    status: str = "200 OK"
    headers: list[tuple[str, str]] = field(default_factory=list)
    during: Callable[[], object] = lambda: None
    padding: bytes = b""

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        number = next(self.calls)
        if PLAN_KEY in environ:
            environ[PLAN_KEY].names.update(self.names)
        self.during()
        read = environ["wsgi.input"].read()
        body = b"%d:%s:%s" % (number, read, self.padding)
        start(
            self.status,
            [
                ("Content-Type", "text/plain"),
                ("Content-Length", str(len(body))),
                *self.headers,
            ],
        )
        return [body]


def redis_client(**options: Any) -> Redis:
    url = os.environ["REDIS_URL"]
    return Redis.from_url(url, socket_timeout=1.0, **options)


@contextmanager
def running_feed(connect: Callable[[], Redis] = redis_client) -> Generator[ChangeFeed]:
    """Run a feed as a process of its own would, until the end of the block."""
    client = connect()
    feed = ChangeFeed(SharedStore(lambda: client, circuit=CircuitBreaker(open_s=0.2)))
    feed.listen_in_background()
    try:
        wait_until(lambda: feed.is_live)
        yield feed
    finally:
        feed.stop()
        client.close()


def edge_around(
    app: Any,
    feed: ChangeFeed,
    policy: EdgePolicy | None = None,
    *,
    shared_from_s: float = 0.0,
) -> EdgeCache:
    """Put a cache before an application; by default every response is shared."""
    chosen = policy or EdgePolicy(ttl_s=60.0)
    route = Route("thing", re.compile("^/thing"), chosen)
    return EdgeCache(
        app,
        feed=feed,
        routes=Routes((route,)),
        local_bytes=LOCAL_BYTES,
        shared_from_s=shared_from_s,
    )


def ask(
    edge: Any,
    path: str = "/thing",
    *,
    method: str = "GET",
    query: str = "",
    body: bytes = b"",
    **headers: str,
) -> Reply:
    """Ask as a server would; `headers` are named as in a WSGI environment."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "HTTP_HOST": "testserver",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        **headers,
    }
    started: list[tuple[str, list[tuple[str, str]]]] = []
    parts = edge(environ, lambda status, given, *_: started.append((status, given)))
    whole = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    status, given = started[0]
    return Reply(int(status.split()[0]), dict(given), whole)


def some_path() -> str:
    """Name a thing that no other test has asked for."""
    return f"/thing/{uuid.uuid4().hex}"


def some_name() -> str:
    return f"test:{uuid.uuid4().hex}"
