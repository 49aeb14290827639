"""A web process under test: the production server, on one core and a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from perf.bench.client import LOOPBACK, is_alive
from perf.bench.errors import BenchmarkError
from perf.bench.parent_watch import ending_with_parent

CHECKOUT = Path(__file__).resolve().parents[2]
PLATFORM = "riskplatform.wsgi:application"
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 15.0
POLL_S = 0.05
LOG_TAIL_BYTES = 2_000
# As `manage.py up` starts it, but with one process, and at once ended.
SERVER = (
    *(sys.executable, "-m", "riskplatform.serving.web", "--host", LOOPBACK),
    *("--workers", "1", "--threads", "8", "--lame-duck", "0", "--port"),
)
# The same server for an application of somebody else.
ASGI_SERVER = (
    *(sys.executable, "-m", "granian", "--interface", "asgi", "--host", LOOPBACK),
    *("--workers", "1", "--no-ws", "--port"),
)


@contextmanager
def web_process(
    application: str = PLATFORM,
    *,
    environment: Mapping[str, str],
    core: int | None = None,
    server: Sequence[str] = SERVER,
) -> Generator[int]:
    """Serve an application inside the block; give its port.

    `environment` is added to the variables of this process.

    Raises
    ------
    BenchmarkError
        It ended or stayed silent; the message has the end of its log.
    """
    port = free_port()
    with TemporaryDirectory(prefix="riskplatform-web-") as folder:
        log = Path(folder) / "web.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - the commands are the kit's own
                ending_with_parent([*server, str(port), application], core=core),
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own, so that no worker process is left behind.
                start_new_session=True,
                cwd=CHECKOUT,
            )
        try:
            _wait_for(process, port, log)
            yield port
        finally:
            _stop(process)


def _wait_for(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until_s = time.monotonic() + START_TIMEOUT_S
    while not is_alive(port):
        if process.poll() is not None or time.monotonic() > until_s:
            tail = log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
            raise BenchmarkError(
                f"The web process does not answer. Its log ends with:\n{tail}",
                exit_code=process.poll(),
            )
        time.sleep(POLL_S)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT_S)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
