"""What one request costs a web process: memory above idle, seconds, status."""

import http.client
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from riskplatform.embedded.ports import LOOPBACK
from tests.support.webs import Web

TIMEOUT_S = 700.0
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one request; `peak_bytes` is resident memory above idle."""

    status: int
    seconds: float
    peak_bytes: int
    answer_bytes: int
    head: bytes

    @property
    def peak_mb(self) -> int:
        return self.peak_bytes >> 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A web process, and the resident memory that it had before any work."""

    web: Web
    pid: int
    resident_bytes: int

    @classmethod
    def of(cls, web: Web) -> Self:
        pid = worker_of(web)
        return cls(web=web, pid=pid, resident_bytes=_status_bytes(pid, "VmRSS"))


def worker_of(web: Web) -> int:
    """Find the process that answers: the child of Granian's supervisor."""
    assert web.pid is not None
    (child,) = _children(web.pid)
    return child


def cost_of(
    idle: Idle,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    *,
    headers: Mapping[str, str],
) -> Cost:
    """Ask once, read the answer without keeping it, and measure the process."""
    # 5 resets the high-water mark: proc_pid_clear_refs(5).
    Path(f"/proc/{idle.pid}/clear_refs").write_text("5")
    started_s = time.monotonic()
    connection = http.client.HTTPConnection(LOOPBACK, idle.web.port, timeout=TIMEOUT_S)
    try:
        connection.request(
            method,
            f"/api/v1/{path}",
            body,
            {"Host": "localhost", **headers},
            encode_chunked=not isinstance(body, bytes | None),
        )
        response = connection.getresponse()
        head = response.read(2_000)
        length = len(head) + sum(map(len, _pieces(response)))
    finally:
        connection.close()
    return Cost(
        status=response.status,
        seconds=time.monotonic() - started_s,
        peak_bytes=_status_bytes(idle.pid, "VmHWM") - idle.resident_bytes,
        answer_bytes=length,
        head=head,
    )


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while piece := response.read(READ_BYTES):
        yield piece


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        child
        for child in map(int, found)
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def _status_bytes(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"/proc/{pid}/status has no {name}")
