"""The supervisor stops whatever it started, asked or killed, willing or not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import psutil
import pytest

from tests.support.processes import is_running
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[3]
Run = Callable[..., "Supervised"]


class Supervised:
    """A running supervisor and what it says."""

    def __init__(self, var: Path, *names: str, **env: str) -> None:
        self.output = var.with_suffix(".out")
        argv = ["-m", "tests.riskplatform.serving.supervised_valkey", str(var), *names]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, *argv],
                cwd=CHECKOUT,
                stdout=output,
                env=os.environ | env,
            )

    @property
    def lines(self) -> list[str]:
        return self.output.read_text(encoding="utf-8").splitlines()

    def wait_says(self, words: str) -> None:
        wait_until(
            lambda: any(words in line for line in self.lines), within_s=20, what=words
        )

    def children(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(
            recursive=True
        )
        return found


@pytest.fixture
def run(tmp_path: Path) -> Generator[Run]:
    started: list[Supervised] = []

    def start(*names: str, **env: str) -> Supervised:
        started.append(Supervised(tmp_path / "var", *names, **env))
        return started[-1]

    yield start
    for supervised in started:
        supervised.process.kill()
        supervised.process.wait()


def wait_all_gone(children: list[psutil.Process]) -> None:
    wait_until(
        lambda: not any(is_running(child.pid) for child in children),
        within_s=15,
        what="no process left",
    )


def test_sigterm_stops_in_reverse_order(run: Run) -> None:
    supervised = run("valkey", "stubborn")
    supervised.wait_says("all up")
    children = supervised.children()
    assert len(children) == 4
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(20) == 0
    wait_all_gone(children)
    assert supervised.lines[3:] == [
        "stubborn    stopping",
        "stubborn    did not stop and was killed",
        "valkey      stopping",
    ]


def test_a_second_signal_leaves_no_time_to_what_hangs(run: Run) -> None:
    supervised = run("valkey", "silent")
    wait_until(lambda: len(supervised.children()) == 4, within_s=20, what="all started")
    children = supervised.children()
    supervised.process.send_signal(signal.SIGINT)
    supervised.wait_says("silent      stopping")
    with pytest.raises(subprocess.TimeoutExpired):
        supervised.process.wait(1)
    supervised.process.send_signal(signal.SIGINT)
    assert supervised.process.wait(20) == 0
    wait_all_gone(children)
    assert "silent      did not stop and was killed" in supervised.lines


def test_a_killed_supervisor_takes_its_children_along(run: Run) -> None:
    supervised = run("valkey", "stubborn")
    supervised.wait_says("all up")
    children = supervised.children()
    supervised.process.kill()
    wait_all_gone(children)


def test_a_dead_server_comes_back_on_its_port_after_growing_delays(run: Run) -> None:
    supervised = run("valkey")
    supervised.wait_says("all up")
    address = supervised.lines[0].split()[-1]
    for delay in ("0.5 s", "1.0 s"):
        victim = next(c for c in supervised.children() if "valkey" in c.name())
        before = len(supervised.lines)
        victim.kill()
        wait_until(
            lambda before=before: len(supervised.lines) == before + 2,  # type: ignore[misc]  # default argument binds the loop variable
            within_s=20,
            what="two more lines",
        )
        died, back = supervised.lines[before:]
        assert f"ended with code -9; starts again in {delay}" in died
        assert back.startswith("valkey      is back after")
        assert back.endswith(address)


def test_a_server_that_hangs_is_killed_and_comes_back_on_its_port(run: Run) -> None:
    supervised = run("valkey", PROBE_EVERY_S="0.5")
    supervised.wait_says("all up")
    address = supervised.lines[0].split()[-1]
    victim = next(c for c in supervised.children() if "valkey" in c.name())
    victim.suspend()
    supervised.wait_says("valkey      is back after")
    hung, back = supervised.lines[-2:]
    assert "hung: 5 probes unanswered; starts again in 0.5 s" in hung
    assert back.endswith(address)
    assert not is_running(victim.pid)
