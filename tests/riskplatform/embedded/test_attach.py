"""Every command finds its servers, or has them for its duration."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from riskplatform.embedded.attach import attach, embedded_servers, needs_servers
from riskplatform.embedded.errors import AlreadyRunningError, EmbeddedServerError
from riskplatform.embedded.ownership import (
    FolderOwnership,
    living_owner,
    published_endpoints,
)
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[3]
REDIS_ONLY = ["REDIS_URL"]
BORROWER = """
import os, sys
from pathlib import Path
from riskplatform.embedded.attach import embedded_servers
with embedded_servers(Path(sys.argv[1]), needs=["REDIS_URL"]):
    print(os.environ["REDIS_URL"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _no_urls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("REDIS_URL", "CLICKHOUSE_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RISKPLATFORM_VAR", str(tmp_path))


def answers(url: str) -> bool:
    with redis.Redis.from_url(url, retry=None) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def test_servers_run_inside_the_block_only(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, needs=REDIS_ONLY, command="manage.py x") as urls:
        assert os.environ["REDIS_URL"] == urls["REDIS_URL"]
        assert answers(urls["REDIS_URL"])
        assert living_owner(tmp_path) == {"pid": os.getpid(), "command": "manage.py x"}
        assert published_endpoints(tmp_path) == {"pid": os.getpid(), **urls}
    assert not answers(urls["REDIS_URL"])
    assert "REDIS_URL" not in os.environ
    assert published_endpoints(tmp_path) is None


def test_data_survive_from_one_command_to_the_next(tmp_path: Path) -> None:
    for expected in (1, 2):
        with (
            embedded_servers(tmp_path, needs=REDIS_ONLY) as urls,
            redis.Redis.from_url(urls["REDIS_URL"]) as client,
        ):
            assert client.incr("runs") == expected


def test_an_owner_waits_for_a_command_that_uses_its_servers(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, needs=REDIS_ONLY) as urls:
        borrower = subprocess.Popen(
            [sys.executable, "-c", BORROWER, str(tmp_path)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert borrower.stdout is not None
        assert borrower.stdout.readline().strip() == urls["REDIS_URL"]
        owner_ends = subprocess.Popen(
            [sys.executable, "-c", WAITER, str(tmp_path)], cwd=CHECKOUT
        )
        with pytest.raises(subprocess.TimeoutExpired):
            owner_ends.wait(1)
        borrower.communicate()
        assert owner_ends.wait(10) == 0


WAITER = """
import sys
from pathlib import Path
from riskplatform.embedded.ownership import waiting_for_users
with waiting_for_users(Path(sys.argv[1])):
    pass
"""


def test_an_owner_without_the_wanted_server_is_named(tmp_path: Path) -> None:
    ownership = FolderOwnership(tmp_path)
    ownership.claim("manage.py up")
    ownership.publish({"CLICKHOUSE_URL": "clickhouse://127.0.0.1:1/default"})
    with (
        pytest.raises(EmbeddedServerError, match="offers no REDIS_URL"),
        embedded_servers(tmp_path, needs=REDIS_ONLY),
    ):
        pass
    ownership.release()


def test_a_second_owner_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    first, second = FolderOwnership(tmp_path), FolderOwnership(tmp_path)
    first.claim("manage.py up")
    message = rf"manage.py up \(pid {os.getpid()}\) already runs on"
    with pytest.raises(AlreadyRunningError, match=message):
        second.claim("manage.py demo")
    first.release()
    wait_until(lambda: living_owner(tmp_path) is None, within_s=1, what="release")
    second.claim("manage.py demo")
    second.release()


@pytest.mark.parametrize("command", ["help", "version", "check", "up", "doctor"])
def test_commands_that_need_no_server_start_none(command: str, tmp_path: Path) -> None:
    with attach(["manage.py", command]):
        assert living_owner(tmp_path) is None


def test_asking_for_help_needs_no_server() -> None:
    assert needs_servers(["manage.py", "migrate"])
    assert not needs_servers(["manage.py", "migrate", "--help"])


def test_in_production_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKPLATFORM_PROFILE", "production")
    assert not needs_servers(["manage.py", "migrate"])
