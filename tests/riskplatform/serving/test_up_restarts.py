"""Whatever dies under `manage.py up` comes back where it was, with its data."""

import subprocess
import sys
import urllib.request
from collections.abc import Generator
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from clickhouse_driver import Client

from tests.riskplatform.serving.running_up import (
    CHECKOUT,
    Up,
    clean_environment,
    running_up,
)
from tests.support.processes import is_running
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
BACK_S = 60
# Ten unanswered probes of two seconds, and much more for a busy machine.
HUNG_S = 120


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Generator[Up]:
    with running_up(tmp_path_factory.mktemp("up") / "var") as running:
        yield running


def kill_and_wait(up: Up, name: str, victim: psutil.Process) -> None:
    # Other tests of this module may have killed it before.
    line = f"{name:<11} is back after"
    times = up.text.count(line) + 1
    victim.kill()
    up.wait_says(line, times=times, within_s=BACK_S)
    assert f"{name:<11} ended with code -9; starts again in " in up.text


def live_status(up: Up, name: str) -> int:
    """Give the status of the probe, 0 where nothing listens yet."""
    url = f"{up.endpoints[name]}/health/live"
    try:
        with urllib.request.urlopen(url, timeout=20) as response:  # noqa: S310 - http
            status: int = response.status
    except OSError:
        return 0
    return status


def test_clickhouse_keeps_port_and_acknowledged_rows(up: Up) -> None:
    url = up.endpoints["CLICKHOUSE_URL"]
    client = Client.from_url(url)
    client.execute("CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n")
    client.execute("INSERT INTO kept VALUES", [(number,) for number in range(1_000)])
    client.disconnect()
    port = str(urlsplit(url).port)
    kill_and_wait(up, "clickhouse", up.child("embedded.clickhouse", f"--port {port}"))
    client = Client.from_url(url)
    assert client.execute("SELECT count(), sum(n) FROM kept") == [(1_000, 499_500)]
    client.disconnect()


def test_valkey_keeps_port_and_acknowledged_keys(up: Up) -> None:
    with redis.Redis.from_url(up.endpoints["REDIS_URL"]) as client:
        client.set("kept", "value")
        kill_and_wait(up, "valkey", up.child("valkey-server"))
        assert client.get("kept") == b"value"


def test_the_web_process_answers_again_on_its_port(up: Up) -> None:
    kill_and_wait(up, "web", up.child("riskplatform.serving.web"))
    assert live_status(up, "web") == 200


def test_a_killed_web_worker_is_replaced(up: Up) -> None:
    web = up.child("riskplatform.serving.web")
    workers = {child.pid for child in web.children()}
    victim = web.children()[-1]
    victim.kill()
    wait_until(
        lambda: (
            len({child.pid for child in web.children()} - {victim.pid}) == len(workers)
            and live_status(up, "web") == 200
        ),
        within_s=BACK_S,
        what="another worker",
    )


def test_realtime_answers_again_on_its_port(up: Up) -> None:
    kill_and_wait(up, "realtime", up.child("run_realtime"))
    assert live_status(up, "realtime") == 200


def test_the_worker_is_started_again(up: Up) -> None:
    before = up.child("run_worker").pid
    kill_and_wait(up, "worker", up.child("run_worker"))
    assert up.child("run_worker").pid != before


def test_whatever_hangs_is_killed_and_started_again(up: Up) -> None:
    hung = {
        "clickhouse": up.child("embedded.clickhouse"),
        "valkey": up.child("valkey-server"),
        "realtime": up.child("run_realtime"),
        "worker": up.child("run_worker"),
    }
    web_workers = up.child("riskplatform.serving.web").children()
    # Another test may have replaced the last one, which then has not begun to beat.
    for process in (*hung.values(), web_workers[0]):
        process.suspend()
    for name, process in hung.items():
        up.wait_says(f"{name:<11} hung: ", within_s=HUNG_S)
        wait_until(
            lambda process=process: not is_running(process.pid),  # type: ignore[misc]  # default argument binds the loop variable
            within_s=HUNG_S,
            what=f"the end of the hung {name}",
        )
        line = up.text.index(f"{name:<11} hung: ")
        wait_until(
            lambda line=line, name=name: (  # type: ignore[misc]  # as above
                f"{name:<11} is back after" in up.text[line:]
            ),
            within_s=BACK_S,
            what=f"another {name}",
        )
    wait_until(
        lambda: not is_running(web_workers[0].pid) and live_status(up, "web") == 200,
        within_s=HUNG_S,
        what="the end of the hung web worker",
    )
    # Those beside it go on.
    assert all(is_running(process.pid) for process in web_workers[1:])


def test_a_second_up_is_refused_with_the_pid_of_the_first(up: Up) -> None:
    refused = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=CHECKOUT,
        env=clean_environment(up.var),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert f"manage.py up (pid {up.process.pid}) already runs on" in refused.stderr


def test_another_command_uses_the_running_servers(up: Up) -> None:
    program = "import os; print(os.environ['REDIS_URL'], os.environ['CLICKHOUSE_URL'])"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--command", program],
        cwd=CHECKOUT,
        env=clean_environment(up.var),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    urls = f"{up.endpoints['REDIS_URL']} {up.endpoints['CLICKHOUSE_URL']}"
    assert done.stdout.splitlines()[-1] == urls
