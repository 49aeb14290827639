"""The whole platform as `manage.py up` runs it, for as long as a load test takes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from perf.bench.client import LOOPBACK, is_alive
from perf.bench.errors import BenchmarkError
from perf.bench.parent_watch import ending_with_parent
from perf.bench.web_pair import OPTIMISED, OVER_LOOPBACK
from perf.bench.web_process import CHECKOUT, free_port
from riskplatform.kernel import metrics_files

START_TIMEOUT_S: Final = 180.0
STOP_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    web: str
    metrics: str


@contextmanager
def running_platform(folder: Path) -> Generator[Addresses]:
    """Run web, worker and metrics on free ports, on the databases of this process.

    Raises
    ------
    BenchmarkError
        It does not come up; the message has the end of its log.
    """
    web, metrics = free_port(), free_port()
    log = folder / "platform.log"
    argv = [
        *(sys.executable, "manage.py", "up", "--no-realtime"),
        *("--port", str(web), "--metrics-port", str(metrics)),
    ]
    # A folder of its own: that of this process has an owner.
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the commands are the kit's own
            ending_with_parent(argv, core=None),
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=CHECKOUT,
        )
    try:
        _wait_for((web, metrics), process, log)
        yield Addresses(
            web=f"http://{LOOPBACK}:{web}",
            metrics=f"http://{LOOPBACK}:{metrics}/metrics",
        )
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(folder: Path) -> dict[str, str]:
    # A key is checked by the secret that it was made with.
    own = {
        "RISKPLATFORM_VAR": str(folder / "var"),
        "SECRET_KEY": settings.SECRET_KEY,
        # All users come from one address.
        "WEB_CONNECTIONS_PER_ADDRESS": "0",
    }
    database = settings.DATABASES["default"]
    if "DATABASE_URL" not in os.environ and "sqlite" in database["ENGINE"]:
        own["DATABASE_URL"] = f"sqlite:///{database['NAME']}"
    environment = {**os.environ, **OPTIMISED, **OVER_LOOPBACK, **own}
    environment.pop(metrics_files.VARIABLE, None)
    return environment


def _wait_for(
    ports: tuple[int, ...], process: "subprocess.Popen[bytes]", log: Path
) -> None:
    until_s = time.monotonic() + START_TIMEOUT_S
    while not all(map(is_alive, ports)):
        if process.poll() is not None or time.monotonic() > until_s:
            tail = log.read_text(encoding="utf-8", errors="replace")[-2_000:]
            raise BenchmarkError(f"The platform does not come up:\n{tail}")
        time.sleep(0.2)
