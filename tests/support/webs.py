"""Real web processes on a database of their own, as `manage.py up` starts them."""

import fcntl
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from redis import Redis

from riskplatform.embedded.ports import LOOPBACK
from riskplatform.embedded.process import Launch
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site
from riskplatform.serving.processes import CHECKOUT, WebServer
from riskplatform.serving.web import WebSize
from tests.support.waiting import wait_until

TIMEOUT_S = 30.0
# Those up to here belong to the workers of the test run.
TESTS_DATABASES = 8


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def came_from(self) -> str:
        return self.headers["x-cache"]

    def json(self) -> Any:
        return json.loads(self.body)


class Web(WebServer):
    """A web process with settings of its own."""

    def __init__(self, site: Site, env: Mapping[str, str], *, threads: int) -> None:
        super().__init__(site, size=WebSize(workers=1, threads=threads))
        self._env = env

    def launch(self) -> Launch:
        return replace(super().launch(), env=self._env)

    def wait_live(self) -> None:
        """Wait until it hears of changes, and so uses what is kept."""
        path = f"risk-map?region=none&horizon_sec={uuid.uuid4().int % 10**9 + 1}"
        wait_until(lambda: self.ask("GET", path).came_from != "bypass")

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(LOOPBACK, self.port, timeout=TIMEOUT_S)

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> Reply:
        connection = self.connect()
        try:
            return ask(connection, method, path, body, key=key)
        finally:
            connection.close()


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Any = None,
    *,
    key: str | None = None,
) -> Reply:
    # All processes are one site: behind a proxy they hear the same name.
    headers = {"Host": "localhost"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    content = None if body is None else json.dumps(body).encode()
    connection.request(method, f"/api/v1/{path}", content, headers)
    response = connection.getresponse()
    given = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, given, response.read())


@dataclass(frozen=True, slots=True)
class Platform:
    """A filled platform without processes; tests start those they need."""

    folder: Path
    env: Mapping[str, str]
    seeds: Mapping[str, Any]

    def keys(self, organisation: str) -> list[str]:
        keys: list[str] = self.seeds[organisation]["keys"]
        return keys

    def portfolios(self, organisation: str) -> list[str]:
        portfolios: list[str] = self.seeds[organisation]["portfolios"]
        return portfolios

    def new_key(self, organisation: str) -> str:
        """Issue a key by a process of its own, as staff would."""
        words = ("create_api_key", "--organisation", organisation, "--name", "new")
        scopes = ("--scope", "scores:read", "--scope", "portfolios:read")
        said = self.manage(*words, *scopes)
        (key,) = re.findall(r"rp_[a-z0-9]{8}_[\w-]{43}", said)
        return str(key)

    def revoke(self, key: str) -> None:
        """Revoke it by a process of its own; it is told before the process ends."""
        prefix = key.split("_")[1]
        self.manage(
            "shell",
            "-c",
            "from riskplatform.api.keys.models import ApiKey\n"
            "from riskplatform.api.keys.services import revoke_keys\n"
            f"revoke_keys(list(ApiKey.objects.filter(prefix={prefix!r})))",
        )

    def manage(self, *words: str) -> str:
        return _run(self.env, "manage.py", *words).decode()

    @contextmanager
    def webs(
        self, count: int = 1, *, threads: int = 8, **env: str
    ) -> Generator[list[Web]]:
        """Run web processes that share everything but their memory."""
        reaper = Reaper()
        webs = []
        try:
            for number in range(count):
                site = Site(
                    var=self.folder / f"web-{uuid.uuid4().hex[:8]}",
                    reaper=reaper,
                    password=f"none-{number}",
                )
                webs.append(Web(site, {**self.env, **env}, threads=threads))
            for web in webs:
                web.start_and_wait()
            yield webs
        finally:
            for web in webs:
                web.stop()
            reaper.close()


@contextmanager
def filled_platform(
    folder: Path, *, seeding: str = "tests.support.platform_seeding"
) -> Generator[Platform]:
    """Make a database beside that of the tests, migrate and fill it by a program."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    name = f"edge_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        env = {
            "REDIS_URL": _redis_of_its_own(),
            "DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}")),
            "DJANGO_SETTINGS_MODULE": "riskplatform.settings",
            "RISKPLATFORM_VAR": str(folder),
            "LOG_LEVEL": "WARNING",
            # All that tests ask comes from one address, without a pause.
            "RATE_LIMITS": "off",
        }
        try:
            with _one_at_a_time():
                _run(env, "manage.py", "prepare", "--no-static")
            seeds = json.loads(_run(env, "-m", seeding))
            yield Platform(folder, env, seeds)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _redis_of_its_own() -> str:
    """Give an empty database of Redis, apart from that of the tests."""
    parts = urlsplit(os.environ["REDIS_URL"])
    number = int(parts.path.strip("/") or 0) + TESTS_DATABASES
    url = urlunsplit(parts._replace(path=f"/{number}"))
    with Redis.from_url(url) as redis:
        redis.flushdb()
    return url


@contextmanager
def _one_at_a_time() -> Generator[None]:
    """Keep test processes from making the same tables of ClickHouse at once."""
    name = f"riskplatform-{urlsplit(os.environ['CLICKHOUSE_URL']).port}.lock"
    with (Path(tempfile.gettempdir()) / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(env: Mapping[str, str], *words: str) -> bytes:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=CHECKOUT,
        env={**os.environ, **env},
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
