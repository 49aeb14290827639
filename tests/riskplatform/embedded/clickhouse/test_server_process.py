import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from tests.riskplatform.embedded.clickhouse.running import RunningServer, command

StartServer = Callable[..., RunningServer]
TABLE = "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a"


def refused_start(data: Path, *options: str) -> str:
    done = subprocess.run(
        command(data, *options), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_a_second_process_on_the_same_folder_is_refused(
    own_server: StartServer, tmp_path: Path
) -> None:
    server = own_server(tmp_path / "data")
    told = refused_start(tmp_path / "data", "--port", "0")
    assert f"is in use by process {server.process.pid}" in told
    assert server.client().execute("SELECT 1") == [(1,)]


def test_it_serves_this_machine_alone(tmp_path: Path) -> None:
    told = refused_start(tmp_path / "data", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - to see it refused
    assert "does not listen on 0.0.0.0" in told


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refused_start(tmp_path / "data", "--port", str(port))
    assert f"Port {port} on 127.0.0.1 cannot be opened" in told


def test_a_missing_password_variable_is_refused(tmp_path: Path) -> None:
    told = refused_start(tmp_path / "data", "--port", "0", "--password-env", "UNSET")
    assert "UNSET holds no password" in told


def test_a_password_opens_the_door(own_server: StartServer) -> None:
    server = own_server(password="s3cret-ü")
    assert server.client().execute("SELECT 1") == [(1,)]
    stranger = Client("127.0.0.1", port=server.endpoint.port)
    with pytest.raises(ServerException):
        stranger.execute("SELECT 1")


def test_a_client_too_many_is_told_so(own_server: StartServer) -> None:
    server = own_server(None, "--max-connections", "2")
    clients = [server.client() for _ in range(3)]
    assert [client.execute("SELECT 1") for client in clients[:2]] == [[(1,)]] * 2
    with pytest.raises(ServerException, match="takes 2 at a time") as refused:
        clients[2].execute("SELECT 1")
    assert refused.value.code == ErrorCodes.TOO_MANY_SIMULTANEOUS_QUERIES
    clients[0].disconnect()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            assert clients[2].execute("SELECT 1") == [(1,)]
            break
        except ServerException:
            time.sleep(0.02)
    assert clients[2].connection.connected


def test_left_over_files_of_inserts_are_cleared(
    own_server: StartServer, tmp_path: Path
) -> None:
    left_over = tmp_path / "data" / "incoming" / "tmpabc.native"
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"half a block")
    own_server(tmp_path / "data")
    assert not left_over.exists()


def test_it_says_what_it_is_and_creates_its_database(
    own_server: StartServer, tmp_path: Path
) -> None:
    server = own_server(tmp_path / "my dätä", "--database", "risk")
    assert server.client("risk").execute("SELECT 1") == [(1,)]
    assert "embedded ClickHouse server (engine " in server.log.read_text()
    ready = json.loads((tmp_path / "my dätä.ready").read_text())
    assert ready["pid"] == server.process.pid


def test_bytes_that_are_no_conversation_do_no_harm(own_server: StartServer) -> None:
    server = own_server()
    address = (server.endpoint.host, server.endpoint.port)
    for noise in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\0" * 100, b""):
        with socket.create_connection(address) as stranger:
            stranger.sendall(noise)
    assert server.client().execute("SELECT 1") == [(1,)]


def test_it_watches_over_queries_with_two_hundred_clients(
    own_server: StartServer,
) -> None:
    server = own_server()
    idle = [server.client() for _ in range(200)]
    assert [client.execute("SELECT 1") for client in idle] == [[(1,)]] * 200
    client = server.client()
    rows = client.execute_iter("SELECT number FROM numbers(1000000000000)")
    next(rows)
    client.cancel()
    assert client.execute("SELECT 1") == [(1,)]
    assert "Traceback" not in server.log.read_text()


def test_a_query_may_take_as_long_as_the_server_allows(own_server: StartServer) -> None:
    client = own_server(None, "--max-execution-time", "1").client()
    endless = "SELECT count() FROM numbers(1000000000000) WHERE intHash64(number) = 1"
    with pytest.raises(ServerException) as stopped:
        client.execute(endless)
    assert stopped.value.code == ErrorCodes.TIMEOUT_EXCEEDED


def test_it_keeps_utc_wherever_the_machine_is(
    own_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    client = own_server().client()
    assert client.execute("SELECT timezone(), toString(toDateTime(0))") == [
        ("UTC", "1970-01-01 00:00:00")
    ]
