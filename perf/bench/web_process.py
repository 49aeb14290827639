"""A web process under test: the production server, on one core and a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from perf.bench.client import LOOPBACK, Address, is_alive
from perf.bench.errors import BenchmarkError
from perf.bench.parent_watch import ending_with_parent

CHECKOUT = Path(__file__).resolve().parents[2]
PLATFORM = "riskplatform.wsgi:application"
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 15.0
POLL_S = 0.05
LOG_TAIL_BYTES = 2_000
# As `manage.py up` starts it, but with one process, and at once ended.
SERVER = "riskplatform.serving.web"
SERVER_OPTIONS = {"--host": LOOPBACK, "--workers": 1, "--threads": 8, "--lame-duck": 0}


@contextmanager
def web_process(
    application: str = PLATFORM,
    *,
    environment: Mapping[str, str],
    core: int | None = None,
) -> Generator[Address]:
    """Serve a WSGI application inside the block, with variables added to our own.

    Raises
    ------
    BenchmarkError
        It ended or stayed silent; the message has the end of its log.
    """
    address = _free_address()
    with TemporaryDirectory(prefix="riskplatform-web-") as folder:
        log = Path(folder) / "web.log"
        with log.open("wb") as output:
            process = _start(application, address, environment, core, output)
        try:
            _wait_for(process, address, log)
            yield address
        finally:
            _stop(process)


def _start(
    application: str,
    address: Address,
    environment: Mapping[str, str],
    core: int | None,
    output: IO[bytes],
) -> "subprocess.Popen[bytes]":
    options = {**SERVER_OPTIONS, "--port": address.port}
    words = [str(word) for option in options.items() for word in option]
    argv = [sys.executable, "-m", SERVER, *words, application]
    return subprocess.Popen(  # noqa: S603 - the commands are the kit's own
        ending_with_parent(argv, core=core),
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # A group of its own, so that no worker process is left behind.
        start_new_session=True,
        cwd=CHECKOUT,
    )


def _wait_for(process: "subprocess.Popen[bytes]", address: Address, log: Path) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not is_alive(address):
        if process.poll() is not None or time.monotonic() > deadline_s:
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


def _free_address() -> Address:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return Address(port=probe.getsockname()[1])
