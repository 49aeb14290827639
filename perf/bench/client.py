"""Requests to a web process: one at a time, and two processes compared."""

import gzip
import http.client
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from perf.bench.errors import BenchmarkError

LOOPBACK = "127.0.0.1"
TIMEOUT_S = 60.0
OK = range(200, 300)
LIVENESS_PATH = "/health/live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """A request; `tells_now` are the members of its answer that say when it was."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    tells_now: frozenset[str] = frozenset()

    def as_bytes(self, address: Address) -> bytes:
        """Return the request as it goes over the wire."""
        fields = {"Host": f"{LOOPBACK}:{address.port}", **self.headers}
        if self.body:
            fields["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class WebResponse:
    """An answer as it came, and how long it took."""

    request: WebRequest
    status: int
    headers: Mapping[str, str]
    wire_body: bytes
    seconds: float

    @property
    def body(self) -> bytes:
        is_packed = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.wire_body) if is_packed else self.wire_body


class Client:
    """One connection that stays open from request to request."""

    def __init__(self, address: Address) -> None:
        self._connection = http.client.HTTPConnection(
            LOOPBACK, address.port, timeout=TIMEOUT_S
        )
        self._connection.connect()

    def send(self, request: WebRequest) -> WebResponse:
        started_s = time.perf_counter()
        self._connection.request(
            request.method,
            request.path,
            body=request.body or None,
            headers=dict(request.headers),
        )
        response = self._connection.getresponse()
        body = response.read()
        return WebResponse(
            request=request,
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            wire_body=body,
            seconds=time.perf_counter() - started_s,
        )

    def close(self) -> None:
        self._connection.close()


@contextmanager
def connected(address: Address) -> Generator[Client]:
    client = Client(address)
    try:
        yield client
    finally:
        client.close()


def is_alive(address: Address) -> bool:
    """Wait for an answer that comes behind all requests before it."""
    try:
        with connected(address) as client:
            return client.send(WebRequest(path=LIVENESS_PATH)).status in OK
    except (OSError, http.client.HTTPException):
        return False


def compare_answers(
    before: Address, after: Address, requests: Iterable[WebRequest]
) -> None:
    """Send both everything twice: the second time they may have cached it.

    All answers but the first of all are compared: that one may be computed, and
    the others may come from the database, with their members in another order.

    Raises
    ------
    BenchmarkError
        Names the first request that was answered differently, or not with success.
    """
    with connected(before) as one, connected(after) as other:
        for request in requests:
            check_success(one.send(request))
            expected = one.send(request)
            for _ in range(2):
                check_same(expected, other.send(request))


def check_same(expected: WebResponse, found: WebResponse) -> None:
    """Compare two responses, except for the members that hold the time of request."""
    check_success(expected, found)
    if _content(expected) != _content(found):
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


def _content(response: WebResponse) -> Any:
    if not response.request.tells_now:
        return response.body
    members: dict[str, Any] = orjson.loads(response.body)
    return {name: members[name] for name in members.keys() - response.request.tells_now}
