"""Web and realtime, the real processes, when a PostgreSQL of their own restarts."""

import http.client
import re
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from riskplatform.embedded.ports import LOOPBACK
from riskplatform.embedded.postgres import PostgresServer
from riskplatform.embedded.process import Launch
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site
from riskplatform.serving.processes import (
    HttpServer,
    RealtimeServer,
    WebServer,
)
from riskplatform.serving.web import WebSize
from tests.support.postgresql_aliases import server
from tests.support.restarting import ask_through_restart

pytestmark = pytest.mark.slow
CLIENTS = 8
THREADS = 4
POOL_SIZE = 3
RETRIED = re.compile(rb'perf_retried_requests_total\{outcome="\w+"\} (\S+)')
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
END_BACKEND = "SELECT pg_terminate_backend(%s, 5000)"


class Web(WebServer):
    env: Mapping[str, str] = {}

    def launch(self) -> Launch:
        return replace(super().launch(), env=self.env)


class Realtime(RealtimeServer):
    env: Mapping[str, str] = {}

    def launch(self) -> Launch:
        return replace(super().launch(), env=self.env)


@pytest.fixture
def site(tmp_path: Path) -> Generator[Site]:
    # PostgreSQL runs as another account when the tests run as root.
    tmp_path.chmod(0o711)
    reaper = Reaper()
    yield Site(var=tmp_path, reaper=reaper, password="probe", durable=False)
    reaper.close()


@pytest.fixture
def postgres(site: Site) -> Generator[PostgresServer]:
    started = PostgresServer(site)
    started.start_and_wait()
    yield started
    started.stop()


@contextmanager
def serving(process: Web | Realtime, postgres: PostgresServer) -> Generator[None]:
    process.env = {
        "DATABASE_URL": postgres.url,
        "DATABASE_POOL_SIZE": str(POOL_SIZE),
        "WEB_MAX_CONCURRENCY": str(THREADS),
        "DJANGO_SETTINGS_MODULE": "tests.perf.connections.probe_settings",
    }
    process.start_and_wait()
    try:
        yield
    finally:
        process.stop()


@pytest.mark.parametrize("path", ["/api/read", "/page"])
def test_web_answers_every_reader_through_a_restart(
    site: Site, postgres: PostgresServer, path: str
) -> None:
    web = Web(site, size=WebSize(workers=1))
    with serving(web, postgres):
        assert statuses_through_restart(web, postgres, path) == {200}
        assert 0 < retried(web) <= THREADS
        assert 0 < len(held_by(postgres, "riskplatform-web")) <= THREADS


def test_realtime_answers_every_reader_through_a_restart(
    site: Site, postgres: PostgresServer
) -> None:
    realtime = Realtime(site)
    with serving(realtime, postgres):
        assert statuses_through_restart(realtime, postgres, "/api/read") == {200}
        assert retried(realtime) <= POOL_SIZE


def test_realtime_leaves_no_connection_behind_and_replaces_the_dead(
    site: Site, postgres: PostgresServer
) -> None:
    realtime = Realtime(site)
    with (
        serving(realtime, postgres),
        ThreadPoolExecutor(20) as clients,
    ):
        answers = clients.map(lambda _: fetch(realtime, "/api/read")[0], range(200))
        assert set(answers) == {200}
        held = held_by(postgres, "riskplatform-realtime")
        assert 0 < len(held) <= POOL_SIZE
        with server(postgres.url) as connection:
            for backend in held:
                connection.execute(END_BACKEND, [backend])
        answers = clients.map(lambda _: fetch(realtime, "/api/read")[0], range(20))
        assert set(answers) == {200}
        assert retried(realtime) == 0


def statuses_through_restart(
    process: HttpServer, postgres: PostgresServer, path: str
) -> set[int]:
    return set(
        ask_through_restart(postgres, lambda: fetch(process, path)[0], clients=CLIENTS)
    )


def held_by(postgres: PostgresServer, application: str) -> list[int]:
    with server(postgres.url) as connection:
        return [pid for (pid,) in connection.execute(BACKENDS, [application])]


def retried(process: HttpServer) -> float:
    """Count requests repeated, whatever came of it."""
    return sum(map(float, RETRIED.findall(fetch(process, "/metrics")[1])))


def fetch(process: HttpServer, path: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(LOOPBACK, process.port, timeout=60)) as one:
        one.request("GET", path)
        response = one.getresponse()
        return response.status, response.read()
