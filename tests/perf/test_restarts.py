"""Web and realtime, the real processes, through restarts of a PostgreSQL of their own."""

import http.client
import os
import re
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from riskplatform.embedded.ports import LOOPBACK
from riskplatform.embedded.postgres import PostgresServer
from riskplatform.embedded.process import Launch
from riskplatform.embedded.processes import (
    HttpServer,
    RealtimeServer,
    WebServer,
    WebSize,
)
from riskplatform.embedded.server import Site
from riskplatform.embedded.warden import Warden
from tests.perf.postgresql import server

pytestmark = pytest.mark.slow
THREADS = 4
POOL_SIZE = 3
RETRIED = re.compile(rb'perf_retried_requests_total\{outcome="(\w+)"\} (\S+)')


@pytest.fixture
def site(tmp_path: Path) -> Generator[Site]:
    tmp_path.chmod(0o711)
    warden = Warden()
    yield Site(var=tmp_path, warden=warden, password="probe", durable=False)
    warden.close()


@pytest.fixture
def postgres(site: Site) -> Generator[PostgresServer]:
    started = PostgresServer(site)
    started.start_and_wait()
    yield started
    started.stop()


@contextmanager
def serving(process: HttpServer, database: str) -> Generator[HttpServer]:
    launch = process.launch

    def probing() -> Launch:
        own = launch()
        extra = {
            "DATABASE_URL": database,
            "DATABASE_POOL_SIZE": str(POOL_SIZE),
            "DJANGO_SETTINGS_MODULE": "tests.perf.probe_settings",
        }
        return replace(own, env={**own.env, **extra})

    process.launch = probing  # type: ignore[method-assign]
    process.start_and_wait()
    try:
        yield process
    finally:
        process.stop()


def fetch(process: HttpServer, path: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(LOOPBACK, process.port, timeout=60)) as one:
        one.request("GET", path)
        response = one.getresponse()
        return response.status, response.read()


def hammer(process: HttpServer, *, while_running: ThreadPoolExecutor) -> Counter[int]:
    raise NotImplementedError


def retried(process: HttpServer) -> dict[bytes, float]:
    found = RETRIED.findall(fetch(process, "/metrics")[1])
    return {outcome: float(count) for outcome, count in found}
