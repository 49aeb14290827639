"""However `manage.py up` ends, nothing of it stays behind."""

import signal
import socket
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from riskplatform.embedded.ports import LOOPBACK
from tests.riskplatform.serving.running_up import STOP_S, Up, running_up
from tests.support.processes import is_running
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
SERVERS_ONLY = ("--no-web", "--no-realtime", "--no-worker")


@pytest.fixture
def open_folder() -> Generator[Path]:
    """A folder that PostgreSQL can reach where the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="riskplatform-up-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def pids_of(up: Up) -> list[int]:
    return [process.pid for process in up.descendants()]


def wait_all_gone(pids: list[int]) -> None:
    wait_until(
        lambda: not any(map(is_running, pids)), within_s=STOP_S, what="no process left"
    )


def test_sigterm_stops_everything_in_reverse_order(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as squatter:
        port = squatter.getsockname()[1]
        with running_up(tmp_path / "var", "--port", str(port)) as up:
            taken = up.endpoints["web"].rpartition(":")[2]
            pids = pids_of(up)
            assert len(pids) >= 6
            password = tmp_path / "var" / "admin-password"
            assert f"staff signs in as admin, password in {password}" in up.text
            assert password.stat().st_mode & 0o077 == 0
            assert up.stop() == 0
    wait_all_gone(pids)
    assert f"web         port {port} is busy, taking {taken}" in up.text.splitlines()
    stops = [line.split()[0] for line in up.text.splitlines() if "stopping" in line]
    assert stops == [
        *("worker", "realtime", "web", "metrics"),
        *("clickhouse", "valkey"),
    ]
    assert "killed" not in up.text
    assert not (up.var / "run" / "endpoints.json").exists()


def test_ctrl_c_while_it_starts_stops_what_has_started(tmp_path: Path) -> None:
    up = Up(tmp_path / "var", *SERVERS_ONLY)
    up.wait_says("clickhouse  ready", within_s=60)
    pids = pids_of(up)
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(STOP_S) == 0
    wait_all_gone(pids)
    assert "asked to stop before everything was up" in up.text


def test_a_server_with_a_url_is_not_started(open_folder: Path) -> None:
    """The first one runs PostgreSQL too, the second one is given all three URLs."""
    options = (*SERVERS_ONLY, "--database", "postgres")
    with running_up(open_folder / "owner", *options) as owner:
        urls = {name: url for name, url in owner.endpoints.items() if name.isupper()}
        assert urls["DATABASE_URL"].startswith("postgresql://riskplatform:")
        with running_up(open_folder / "guest", *SERVERS_ONLY, **urls) as guest:
            said = [line.split()[0] for line in guest.text.splitlines()]
            assert said == ["prepare", "prepare", "up"]
        pids = pids_of(owner)
        owner.process.kill()
        owner.process.wait()
        wait_all_gone(pids)
