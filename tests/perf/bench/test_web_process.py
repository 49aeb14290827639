"""A web process under test comes up, tells why it does not, and never stays."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from perf.bench.client import WebRequest, connected, is_alive
from perf.bench.errors import BenchmarkError
from perf.bench.machine import measured_core
from perf.bench.web_process import web_process
from tests.support.waiting import wait_until

BARE = "perf.bench.peers.bare_wsgi:application"


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    answer = tmp_path / "answer"
    answer.write_bytes(b"constant")
    return {"BARE_ANSWER": str(answer), "BARE_HEADERS": '{"X-Peer": "bare"}'}


def test_it_serves_an_application_on_one_core_and_ends(bare: dict[str, str]) -> None:
    core = measured_core()
    with web_process(BARE, environment=bare, core=core) as address:
        with connected(address) as client:
            response = client.send(WebRequest(path="/", method="POST", body=b"asked"))
        (server,) = listening_on(address.port)
        assert server.cpu_affinity() == [core]
    assert (response.status, response.body) == (200, b"constant")
    assert response.headers["x-peer"] == "bare"
    assert not is_alive(address)


def test_one_that_does_not_come_up_shows_the_end_of_its_log() -> None:
    with (
        pytest.raises(BenchmarkError, match="BARE_ANSWER"),
        web_process(BARE, environment={}),
    ):
        pytest.fail("it came up")


@pytest.mark.skipif(sys.platform != "linux", reason="a facility of Linux")
def test_it_ends_when_its_starter_is_killed(
    bare: dict[str, str], tmp_path: Path
) -> None:
    program = textwrap.dedent(
        """
        import time
        from perf.bench.web_process import web_process
        with web_process("perf.bench.peers.bare_wsgi:application", environment={}) as a:
            print(a.port, flush=True)
            time.sleep(60)
        """
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, **bare, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    port = int(starter.stdout.readline())
    assert listening_on(port)
    starter.send_signal(signal.SIGKILL)
    starter.communicate()
    wait_until(lambda: not listening_on(port))


def listening_on(port: int) -> list[psutil.Process]:
    owners = {
        found.pid
        for found in psutil.net_connections("tcp4")
        if found.status == psutil.CONN_LISTEN
        and found.laddr
        and found.laddr.port == port
    }
    return [psutil.Process(pid) for pid in owners if pid is not None]
