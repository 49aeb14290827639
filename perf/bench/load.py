"""A bounded load: so many connections, so many seconds, a list of requests in turn."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from perf.bench.client import LOOPBACK, Address, WebRequest, is_alive
from perf.bench.errors import BenchmarkError
from perf.bench.measurement import Direction, Meter, reported
from perf.bench.parent_watch import ending_with_parent

WRK = "wrk"
PYTHON = "a Python generator"
WRK_SCRIPT = Path(__file__).with_name("wrk_script.lua")
# What a generator may take beyond the load, to start and to wait for late answers.
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
P50_MS: Meter[LoadResult] = reported(
    "ms", direction=Direction.LOWER, figure=lambda load: load.p50_ms
)
P95_MS: Meter[LoadResult] = reported(
    "ms", direction=Direction.LOWER, figure=lambda load: load.p95_ms
)
P99_MS: Meter[LoadResult] = reported(
    "ms", direction=Direction.LOWER, figure=lambda load: load.p99_ms
)


def generator_name() -> str:
    """Name the load generator of this machine, for the rows it measures."""
    return WRK if shutil.which(WRK) else PYTHON


def put_under_load(address: Address, load: Load) -> LoadResult:
    """Send the load to a web process, from a process of its own.

    Raises
    ------
    BenchmarkError
        The generator failed; a failed request is counted instead.
    """
    with TemporaryDirectory(prefix="riskplatform-load-") as folder:
        requests = Path(folder) / "requests"
        write_requests(requests, address, load.requests)
        argv = (
            _wrk_argv(address, load, requests)
            if generator_name() == WRK
            else _python_argv(address, load, requests)
        )
        result = _run(argv, load)
    # What the last requests left to do is not to slow the other side down.
    if not is_alive(address):
        raise BenchmarkError("The web process does not answer after the load.")
    return result


def write_requests(
    path: Path, address: Address, requests: Sequence[WebRequest]
) -> None:
    """Write whole requests, each behind a line with its length."""
    texts = [request.as_bytes(address) for request in requests]
    path.write_bytes(b"".join(b"%d\n%b" % (len(text), text) for text in texts))


def _run(argv: list[str], load: Load) -> LoadResult:
    try:
        done = subprocess.run(  # noqa: S603 - the commands are the kit's own
            ending_with_parent(argv, core=load.core),
            capture_output=True,
            timeout=load.seconds + GRACE_S,
            check=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        return msgspec.json.decode(
            done.stdout.splitlines()[-1], type=LoadResult, strict=False
        )
    except subprocess.CalledProcessError as error:
        raise BenchmarkError(
            f"{argv[0]} failed: {error.stderr.decode()[-500:]}"
        ) from error
    except (subprocess.TimeoutExpired, IndexError, msgspec.DecodeError) as error:
        raise BenchmarkError(f"{argv[0]} gave no figures: {error}") from error


def _wrk_argv(address: Address, load: Load, requests: Path) -> list[str]:
    return [
        *(WRK, "--threads", "1", "--connections", str(load.connections)),
        *("--duration", f"{load.seconds}s", "--timeout", f"{REQUEST_TIMEOUT_S}s"),
        *("--script", str(WRK_SCRIPT), f"http://{LOOPBACK}:{address.port}"),
        *("--", str(requests)),
    ]


def _python_argv(address: Address, load: Load, requests: Path) -> list[str]:
    numbers = (address.port, load.connections, load.seconds)
    return [
        *(sys.executable, "-m", "perf.bench.python_load"),
        *(*map(str, numbers), str(requests)),
    ]
