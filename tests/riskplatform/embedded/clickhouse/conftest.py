"""The server under test: a real one where a URL was given, the embedded one else."""

import os
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from clickhouse_driver import Client

from tests.riskplatform.embedded.clickhouse import running
from tests.riskplatform.embedded.clickhouse.running import Endpoint, RunningServer

Connect = Callable[..., Client]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("RISKPLATFORM_TEST_REAL_CLICKHOUSE") != "1":
        return
    skip = pytest.mark.skip(reason="is about the embedded server itself")
    for item in items:
        if "own_server" in getattr(item, "fixturenames", ()):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Generator[Endpoint]:
    url = os.environ.get("CLICKHOUSE_URL")
    if url is not None:
        yield _endpoint_of(url)
        return
    server = running.start(tmp_path_factory.mktemp("embedded") / "data")
    yield server.endpoint
    server.stop()


@pytest.fixture
def database(endpoint: Endpoint) -> Generator[str]:
    """Make a database for one test."""
    name = f"conformance_{uuid.uuid4().hex}"
    admin = endpoint.client()
    admin.execute(f"CREATE DATABASE {name}")
    yield name
    admin.execute(f"DROP DATABASE {name}")
    admin.disconnect()


@pytest.fixture
def connect(endpoint: Endpoint, database: str) -> Generator[Connect]:
    """Open clients in the test's database; they are closed with the test."""
    opened: list[Client] = []

    def open_client(**options: object) -> Client:
        client = endpoint.client(database, **options)
        opened.append(client)
        return client

    yield open_client
    for client in opened:
        client.disconnect()


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect()


@pytest.fixture
def own_server(tmp_path: Path) -> Generator[Callable[..., RunningServer]]:
    """Start servers that the test may kill."""
    started: list[RunningServer] = []

    def start(data: Path | None = None, *options: str, **more: str) -> RunningServer:
        server = running.start(data or tmp_path / "data", *options, **more)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close_clients()
        if server.process.poll() is None:
            server.kill()


def _endpoint_of(url: str) -> Endpoint:
    parts = urlsplit(url)
    return Endpoint(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 9000,
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
    )
