"""Requests to a web process: one at a time, and two processes compared.

A web process is named by its port: all of them listen on loopback.
"""

import gzip
import http.client
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from perf.bench.errors import BenchmarkError

LOOPBACK = "127.0.0.1"
TIMEOUT_S = 60.0
OK = range(200, 300)
LIVENESS_PATH = "/health/live"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """A request; `tells_now` are the members of its response that say when it was."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    tells_now: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebResponse:
    """A response as it came, and how long it took."""

    request: WebRequest
    status: int
    headers: Mapping[str, str]
    wire_body: bytes
    seconds: float

    @property
    def body(self) -> bytes:
        is_packed = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.wire_body) if is_packed else self.wire_body

    @property
    def content(self) -> Any:
        """The body, without the members that hold the time of the request."""
        if not self.request.tells_now:
            return self.body
        members: dict[str, Any] = orjson.loads(self.body)
        return {name: members[name] for name in members.keys() - self.request.tells_now}


Send = Callable[[WebRequest], WebResponse]


@contextmanager
def connected(port: int) -> Generator[Send]:
    """Give what sends requests over one connection."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_S)
    with closing(connection):
        yield partial(_send, connection)


def _send(connection: http.client.HTTPConnection, request: WebRequest) -> WebResponse:
    started_s = time.perf_counter()
    body, headers = request.body or None, dict(request.headers)
    connection.request(request.method, request.path, body=body, headers=headers)
    response = connection.getresponse()
    wire_body = response.read()
    return WebResponse(
        request=request,
        status=response.status,
        headers={name.lower(): value for name, value in response.getheaders()},
        wire_body=wire_body,
        seconds=time.perf_counter() - started_s,
    )


def is_alive(port: int) -> bool:
    """Wait for a response that comes behind all requests before it."""
    try:
        with connected(port) as send:
            return send(WebRequest(path=LIVENESS_PATH)).status in OK
    except (OSError, http.client.HTTPException):
        return False


def compare_responses(before: int, after: int, requests: Iterable[WebRequest]) -> None:
    """Send both everything twice: the second time they may have cached it.

    All responses but the first of all are compared: that one may be computed, and
    the others may come from the database, with their members in another order.

    Raises
    ------
    BenchmarkError
        Names the first request that was answered differently, or not with success.
    """
    with connected(before) as send_one, connected(after) as send_other:
        for request in requests:
            check_success(send_one(request))
            expected = send_one(request)
            for _ in range(2):
                check_same(expected, send_other(request))


def check_same(expected: WebResponse, found: WebResponse) -> None:
    check_success(expected, found)
    if expected.content != found.content:
        request = found.request
        described = f"{request.method} {request.path} {request.body.decode()}"
        raise BenchmarkError(f"{described} is answered differently.")


def check_success(*responses: WebResponse) -> None:
    for response in responses:
        if response.status not in OK:
            raise BenchmarkError(
                f"{response.request.method} {response.request.path} is answered with "
                f"{response.status}: {response.body[:300].decode(errors='replace')}"
            )
