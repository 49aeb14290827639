"""A bounded load: so many connections, so many seconds, a list of requests in turn."""

import http.client
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from perf.bench.client import LOOPBACK, WebRequest, connected, is_alive
from perf.bench.errors import BenchmarkError
from perf.bench.machine import pinned_to
from perf.bench.measurement import Direction, Meter, reported
from perf.bench.parent_watch import ending_with_parent

WRK = "wrk"
WRK_SCRIPT = Path(__file__).with_name("wrk_script.lua")
PYTHON = "a Python generator"
# What wrk may take beyond the load, to start and to wait for late responses.
GRACE_S = 60
REQUEST_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send: connections take the requests one after the other, in a ring."""

    requests: Sequence[WebRequest]
    connections: int
    seconds: int
    core: int | None = None


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a load generator counted; `errors` are failed or refused requests."""

    requests: int
    seconds: float
    errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.seconds

    @property
    def is_clean(self) -> bool:
        return self.requests > 0 and self.errors == 0


REQUESTS_PER_S: Meter[LoadResult] = reported(
    "requests/s", direction=Direction.HIGHER, figure=lambda load: load.requests_per_s
)
PERCENTILES: dict[str, Meter[LoadResult]] = {
    "p50": reported("ms", lambda load: load.p50_ms),
    "p95": reported("ms", lambda load: load.p95_ms),
    "p99": reported("ms", lambda load: load.p99_ms),
}


def generator_name() -> str:
    """Name the load generator of this machine, for the rows it measures."""
    return WRK if shutil.which(WRK) else PYTHON


def put_under_load(port: int, load: Load) -> LoadResult:
    """Send the load to a web process.

    Raises
    ------
    BenchmarkError
        The generator failed; a failed request is counted instead.
    """
    send = _send_by_wrk if generator_name() == WRK else _send_by_threads
    result = send(port, load)
    # What the last requests left to do is not to slow the other side down.
    if not is_alive(port):
        raise BenchmarkError("The web process does not answer after the load.")
    return result


def _send_by_wrk(port: int, load: Load) -> LoadResult:
    with TemporaryDirectory(prefix="riskplatform-load-") as folder:
        requests = Path(folder) / "requests"
        # Whole requests, each behind a line with its length.
        texts = [_as_sent(request, port) for request in load.requests]
        requests.write_bytes(b"".join(b"%d\n%b" % (len(text), text) for text in texts))
        argv = [
            *(WRK, "--threads", "1", "--connections", str(load.connections)),
            *("--duration", f"{load.seconds}s", "--timeout", f"{REQUEST_TIMEOUT_S}s"),
            *("--script", str(WRK_SCRIPT), f"http://{LOOPBACK}:{port}"),
            *("--", str(requests)),
        ]
        try:
            done = subprocess.run(  # noqa: S603 - the commands are the kit's own
                ending_with_parent(argv, core=load.core),
                capture_output=True,
                timeout=load.seconds + GRACE_S,
                check=True,
                cwd=Path(__file__).resolve().parents[2],
            )
            last_line = done.stdout.splitlines()[-1]
            return msgspec.json.decode(last_line, type=LoadResult, strict=False)
        except subprocess.CalledProcessError as error:
            message = error.stderr.decode()[-500:]
            raise BenchmarkError(f"{WRK} failed: {message}") from error
        except (subprocess.TimeoutExpired, IndexError, msgspec.DecodeError) as error:
            raise BenchmarkError(f"{WRK} gave no figures: {error}") from error


def _as_sent(request: WebRequest, port: int) -> bytes:
    fields = {"Host": f"{LOOPBACK}:{port}", **request.headers}
    if request.body:
        fields["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {request.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


def _send_by_threads(port: int, load: Load) -> LoadResult:
    """Send from threads of this process, where wrk is not installed."""
    ring, started_s = cycle(load.requests), time.perf_counter()
    keep_busy = partial(_keep_busy, port, ring, started_s + load.seconds)
    # Threads begin on the core of the one that starts them.
    with pinned_to(load.core), ThreadPoolExecutor(load.connections) as threads:
        started = [threads.submit(keep_busy) for _ in range(load.connections)]
        counted = [one.result() for one in started]
    taken_s = [each for taken, _ in counted for each in taken]
    p50, p95, p99 = np.percentile(taken_s or [0.0], [50, 95, 99]).tolist()
    return LoadResult(
        requests=len(taken_s),
        seconds=time.perf_counter() - started_s,
        errors=sum(errors for _, errors in counted),
        p50_ms=1e3 * p50,
        p95_ms=1e3 * p95,
        p99_ms=1e3 * p99,
    )


def _keep_busy(
    port: int, ring: Iterator[WebRequest], until_s: float
) -> tuple[list[float], int]:
    """Send over one connection at a time; give what each took, and count errors."""
    taken_s: list[float] = []
    errors = 0
    while time.perf_counter() < until_s:
        try:
            with connected(port) as send:
                while time.perf_counter() < until_s:
                    response = send(next(ring))
                    taken_s.append(response.seconds)
                    # As wrk counts them: what is refused is an error.
                    errors += response.status >= 400
        except (OSError, http.client.HTTPException):
            errors += 1
    return taken_s, errors
