import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from tests.riskplatform.embedded.clickhouse.running import RunningServer

StartServer = Callable[..., RunningServer]
TABLE = "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a"


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
        except (Error, EOFError, OSError):
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


def test_a_second_sigint_is_not_needed(own_server: StartServer) -> None:
    server = own_server()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0


def test_inserts_are_written_to_the_disk_itself_unless_told_otherwise(
    own_server: StartServer, tmp_path: Path
) -> None:
    query = "SELECT value FROM system.merge_tree_settings WHERE name LIKE 'fsync%'"
    careful = own_server(tmp_path / "careful").client()
    quick = own_server(tmp_path / "quick", "--no-fsync").client()
    assert careful.execute(query) == [("1",), ("1",)]
    assert quick.execute(query) == [("0",), ("0",)]
