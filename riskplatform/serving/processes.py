"""The product's own processes: metrics, web, realtime and worker."""

import http.client
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from riskplatform.embedded.ports import LOOPBACK
from riskplatform.embedded.process import Launch
from riskplatform.embedded.server import BeatingService, Server, Site
from riskplatform.kernel import heartbeat
from riskplatform.serving.web import WebSize

CHECKOUT = Path(__file__).resolve().parents[2]
MANAGE = CHECKOUT / "manage.py"
METRICS_URL = "METRICS_URL"
LIVENESS_PATH = "/health/live"
PROBE_TIMEOUT_S = 2.0


class HttpServer(Server):
    """A process that answers GET /health/live."""

    # Django's first start on a busy machine takes several seconds.
    start_timeout_s: ClassVar[float] = 60.0
    # Clients are sent away first; in-flight requests may take 25 s to finish.
    stop_timeout_s: ClassVar[float] = 30.0
    # A restart ends requests at work, and crowds may look like a hang for a while.
    most_unanswered: ClassVar[int] = 10

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def address(self) -> str:
        return self.url

    def answers(self) -> bool:
        connection = http.client.HTTPConnection(
            LOOPBACK, self.port, timeout=PROBE_TIMEOUT_S
        )
        try:
            connection.request("GET", LIVENESS_PATH)
            # A redirect to HTTPS comes from a living process as well.
            return connection.getresponse().status < http.client.BAD_REQUEST
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class WebServer(HttpServer):
    name: ClassVar[str] = "web"

    def __init__(
        self, site: Site, *, preferred_port: int = 0, size: WebSize | None = None
    ) -> None:
        super().__init__(site, preferred_port=preferred_port)
        self._size = size or WebSize()

    def launch(self) -> Launch:
        return Launch(
            argv=[
                *(sys.executable, "-m", "riskplatform.serving.web"),
                *("--port", str(self.port)),
                *("--workers", str(self._size.workers)),
                *("--threads", str(self._size.threads)),
            ],
            working_folder=CHECKOUT,
        )


class RealtimeServer(HttpServer):
    name: ClassVar[str] = "realtime"

    def launch(self) -> Launch:
        return manage("run_realtime", "--port", str(self.port))


class MetricsServer(HttpServer):
    name: ClassVar[str] = "metrics"
    stop_timeout_s: ClassVar[float] = 5.0

    @property
    def address(self) -> str:
        return f"{self.url}/metrics"

    def launch(self) -> Launch:
        return Launch(
            argv=[
                *(sys.executable, "-m", "riskplatform.serving.metrics"),
                *("--port", str(self.port)),
            ],
            working_folder=CHECKOUT,
        )


class WorkerService(BeatingService):
    name: ClassVar[str] = "worker"
    # A job at work may go on to its end, or to a step where it is released.
    stop_timeout_s: ClassVar[float] = 30.0

    def __init__(self, site: Site, *, metrics: MetricsServer | None = None) -> None:
        super().__init__(site)
        self._metrics = metrics

    def launch(self) -> Launch:
        env = {}
        if self._metrics is not None and METRICS_URL not in os.environ:
            # Only now it is known at which port they are served.
            env[METRICS_URL] = self._metrics.address
        return manage("run_worker", beats_in=self.heartbeat, env=env)


def manage(
    *arguments: str,
    beats_in: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Launch:
    """Run a management command as a process, perhaps one with a heartbeat."""
    beating = {} if beats_in is None else {heartbeat.VARIABLE: str(beats_in)}
    return Launch(
        argv=[sys.executable, str(MANAGE), *arguments],
        # Its output goes to a file; there, a line is worth having at once.
        env={"PYTHONUNBUFFERED": "1", **beating, **(env or {})},
        working_folder=CHECKOUT,
    )
