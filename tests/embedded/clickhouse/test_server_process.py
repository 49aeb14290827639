import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from tests.embedded.clickhouse.running import RunningServer, command

StartServer = Callable[..., RunningServer]
TABLE = "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a"


def refused_start(data: Path, *options: str) -> str:
    done = subprocess.run(
        command(data, *options), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    own_server: StartServer, tmp_path: Path
) -> None:
    server = own_server(tmp_path / "data")
    server.client().execute(TABLE)
    acknowledged: list[int] = []

    def write(writer: Client, first: int) -> None:
        try:
            for start in range(first, first + 1_000_000, 100):
                rows = [(a, str(a)) for a in range(start, start + 100)]
                writer.execute("INSERT INTO t VALUES", rows)
                acknowledged.append(start)
        except (EOFError, OSError):
            return

    writers = [
        threading.Thread(target=write, args=(server.client(), n * 1_000_000))
        for n in range(3)
    ]
    for writer in writers:
        writer.start()
    deadline = time.monotonic() + 30
    while len(acknowledged) < 60 and time.monotonic() < deadline:
        time.sleep(0.01)
    server.kill()
    for writer in writers:
        writer.join()
    again = own_server(tmp_path / "data").client()
    stored = {a for (a,) in again.execute("SELECT a FROM t")}
    promised = {a for start in acknowledged for a in range(start, start + 100)}
    assert len(acknowledged) >= 60
    assert promised <= stored
    # A batch that was under way is there as a whole or not at all.
    assert len(stored) % 100 == 0


def test_data_survive_a_clean_stop(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server(tmp_path / "data")
    client = server.client()
    client.execute(TABLE)
    client.execute("INSERT INTO t VALUES", [(1, "x")])
    assert server.stop() == 0
    again = own_server(tmp_path / "data").client()
    assert again.execute("SELECT * FROM t") == [(1, "x")]


def test_a_running_statement_is_finished_on_sigterm(own_server: StartServer) -> None:
    server = own_server()
    client = server.client()
    client.execute("SELECT 1")
    answers: list[object] = []
    slow = threading.Thread(
        target=lambda: answers.append(
            client.execute(
                "SELECT sum(sleepEachRow(0.1)) FROM numbers(15)",
                settings={"max_block_size": 1},
            )
        )
    )
    slow.start()
    observer = server.client()
    while "sleepEachRow" not in str(observer.execute("SHOW PROCESSLIST")):
        time.sleep(0.01)
    assert server.stop() == 0
    slow.join()
    assert answers == [[(0,)]]


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
    server = own_server(tmp_path / "data", "--database", "risk")
    assert server.client("risk").execute("SELECT 1") == [(1,)]
    assert "embedded ClickHouse server (engine " in server.log.read_text()
    ready = json.loads((tmp_path / "data.ready").read_text())
    assert ready["pid"] == server.process.pid


def test_bytes_that_are_no_conversation_do_no_harm(own_server: StartServer) -> None:
    server = own_server()
    address = (server.endpoint.host, server.endpoint.port)
    for noise in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\0" * 100, b""):
        with socket.create_connection(address) as stranger:
            stranger.sendall(noise)
    assert server.client().execute("SELECT 1") == [(1,)]


def test_a_second_sigint_is_not_needed(own_server: StartServer) -> None:
    server = own_server()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0
