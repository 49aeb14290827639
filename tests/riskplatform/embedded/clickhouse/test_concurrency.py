import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from clickhouse_driver import Client

from tests.riskplatform.embedded.clickhouse.running import Endpoint

Connect = Callable[..., Client]
CLIENTS = 8
ROUNDS = 10
WRITER = """
import sys
from clickhouse_driver import Client
host, port, user, password, database, first = sys.argv[1:]
client = Client(host, port=port, user=user, password=password, database=database)
count = "SELECT count() FROM t WHERE a >= %(first)s AND a < %(first)s + 10000"
for batch in range(5):
    start = int(first) + batch * 1000
    rows = [(i, str(i)) for i in range(start, start + 1000)]
    client.execute("INSERT INTO t VALUES", rows)
    ((seen,),) = client.execute(count, {"first": int(first)})
    assert seen == (batch + 1) * 1000, seen
"""


def create(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")


def test_eight_clients_write_and_read_at_once(connect: Connect, client: Client) -> None:
    create(client)
    clients = [connect() for _ in range(CLIENTS)]

    def work(number: int) -> int:
        mine = clients[number]
        for turn in range(ROUNDS):
            rows = [(number * 1_000 + turn, f"{number}") for _ in range(100)]
            mine.execute("INSERT INTO t VALUES", rows)
        query = "SELECT count() FROM t WHERE b = %(b)s"
        ((seen,),) = mine.execute(query, {"b": f"{number}"})
        return int(seen)

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert list(pool.map(work, range(CLIENTS))) == [ROUNDS * 100] * CLIENTS
    assert client.execute("SELECT count(), uniqExact(a) FROM t") == [(8_000, 80)]


def test_three_processes_write_and_read_at_once(
    endpoint: Endpoint, database: str, client: Client
) -> None:
    create(client)
    address = [endpoint.host, str(endpoint.port), endpoint.user, endpoint.password]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, *address, database, str(first)],
            stderr=subprocess.PIPE,
        )
        for first in (0, 10_000, 20_000)
    ]
    errors = [writer.communicate(timeout=60)[1].decode() for writer in writers]
    assert errors == ["", "", ""]
    assert client.execute("SELECT count(), uniqExact(a) FROM t") == [(15_000, 15_000)]


def test_a_slow_query_does_not_hold_up_others(connect: Connect) -> None:
    slow, quick = connect(), connect()
    quick.execute("SELECT 1")
    query = "SELECT sum(sleepEachRow(0.1)) FROM numbers(20)"
    one_by_one = {"max_block_size": 1, "max_threads": 1}
    thread = threading.Thread(
        target=slow.execute, args=(query,), kwargs={"settings": one_by_one}
    )
    thread.start()
    answered = 0
    deadline = time.monotonic() + 30
    while thread.is_alive() and answered < 50 and time.monotonic() < deadline:
        assert quick.execute("SELECT 1") == [(1,)]
        answered += 1
    was_running = thread.is_alive()
    thread.join()
    assert (answered, was_running) == (50, True)


def test_ddl_of_one_client_is_seen_by_the_next_query_of_another(
    connect: Connect,
) -> None:
    one, other = connect(), connect()
    create(one)
    other.execute("INSERT INTO t VALUES", [(1, "x")])
    one.execute("ALTER TABLE t ADD COLUMN c UInt8 DEFAULT 9")
    assert other.execute("SELECT * FROM t") == [(1, "x", 9)]
