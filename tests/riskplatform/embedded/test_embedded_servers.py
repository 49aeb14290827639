"""Each embedded server keeps its port and its data through kill -9."""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest
import redis
from clickhouse_driver import Client

from riskplatform.embedded import postgres
from riskplatform.embedded.clickhouse_server import ClickHouseServer
from riskplatform.embedded.errors import EmbeddedServerError
from riskplatform.embedded.ports import LOOPBACK
from riskplatform.embedded.postgres import PostgresServer
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Server, Site
from riskplatform.embedded.valkey import ValkeyServer
from tests.support.waiting import wait_until

Store = Callable[[str], int | bytes | None]


@pytest.fixture
def site() -> Generator[Site]:
    reaper = Reaper()
    with tempfile.TemporaryDirectory(prefix="riskplatform-servers-") as name:
        # PostgreSQL runs as another account where the tests run as root.
        Path(name).chmod(0o711)
        yield Site(var=Path(name), reaper=reaper, password="p-w_1")
        reaper.close()


def use_valkey(url: str) -> int | bytes | None:
    with redis.Redis.from_url(url) as client:
        count = client.incr("count")
        # Once a second it writes to the disk; without this the last second is not safe.
        assert client.waitaof(1, 0, 10_000)[0] == 1
    assert isinstance(count, int)
    return count


def use_clickhouse(url: str) -> int | bytes | None:
    client = Client.from_url(url)
    client.execute("CREATE TABLE IF NOT EXISTS t (n Int8) ENGINE MergeTree ORDER BY n")
    client.execute("INSERT INTO t VALUES", [(1,)])
    [(count,)] = client.execute("SELECT count() FROM t")
    client.disconnect()
    return int(count)


def use_postgres(url: str) -> int | bytes | None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (n int)")
        connection.execute("INSERT INTO t VALUES (1)")
        row = connection.execute("SELECT count(*) FROM t").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("server_type", "use"),
    [
        (ValkeyServer, use_valkey),
        (ClickHouseServer, use_clickhouse),
        (PostgresServer, use_postgres),
    ],
)
def test_what_was_acknowledged_survives_kill_9(
    site: Site, server_type: type[Server], use: Store
) -> None:
    server = server_type(site)
    server.start_and_wait()
    url = server.url
    assert [use(url), use(url)] == [1, 2]
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not server.is_alive(), within_s=5, what="its end")
    assert server.exit_code == -signal.SIGKILL
    server.start_and_wait()
    assert (server.url, use(url)) == (url, 3)
    assert server.stop()
    assert not server.is_alive()


def test_a_busy_port_is_left_to_its_owner(site: Site) -> None:
    with socket.create_server((LOOPBACK, 0)) as squatter:
        port = squatter.getsockname()[1]
        server = ValkeyServer(site, preferred_port=port)
        server.start_and_wait()
        assert server.port != port
        assert use_valkey(server.url) == 1
        assert server.stop()


def test_a_port_taken_just_before_the_start_is_replaced(site: Site) -> None:
    server = ValkeyServer(site)
    with socket.create_server((LOOPBACK, server.port)):
        taken = server.port
        server.start_and_wait()
        assert server.port != taken
        assert use_valkey(server.url) == 1
        assert server.stop()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(site: Site) -> None:
    (site.var / "valkey").mkdir()
    (site.var / "valkey" / "appendonlydir").write_text("not a folder")
    with pytest.raises(EmbeddedServerError, match=r"ended with code 1[\s\S]*append"):
        ValkeyServer(site).start_and_wait()


def test_no_process_list_shows_the_password(site: Site) -> None:
    for server_type in (ValkeyServer, ClickHouseServer, PostgresServer):
        launch = server_type(site).launch()
        assert not any(site.password in word for word in launch.argv)


def test_a_wrong_password_is_refused(site: Site) -> None:
    server = ValkeyServer(site)
    server.start_and_wait()
    url = server.url.replace(site.password, "wrong")
    with (
        redis.Redis.from_url(url, retry=None) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
    assert server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
def test_postgres_moves_where_its_account_can_reach_it(tmp_path: Path) -> None:
    """A private home is no place for it; it takes its programs along."""
    reaper = Reaper()
    tmp_path.chmod(0o700)
    server = PostgresServer(
        Site(var=tmp_path, reaper=reaper, password="p-w_1", durable=False)
    )
    assert server.folder.parent == postgres.REACHABLE_ROOT
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postgres, "is_reachable", lambda _folder: False)
            server.start_and_wait()
            assert use_postgres(server.url) == 1
            assert server.address.endswith(f" (data in {server.folder})")
        assert server.stop()
    finally:
        reaper.close()
        shutil.rmtree(server.folder)
