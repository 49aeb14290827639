"""The reaper clears up after an owner that is no more."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil

from riskplatform.embedded.process import ChildProcess, Launch, log_tail, rotate_log
from riskplatform.embedded.reaper import Reaper
from tests.support.processes import is_running
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[3]
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
FORGETFUL_OWNER = """
import os, subprocess, sys
from pathlib import Path
from riskplatform.embedded.reaper import Reaper
reaper = Reaper(grace_s=0.3)
reaper.remove_afterwards(Path(sys.argv[1]))
child = subprocess.Popen(sys.argv[2:], start_new_session=True)
reaper.watch(child.pid)
print(child.pid, reaper.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_it_ends_what_a_killed_owner_left(tmp_path: Path) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FORGETFUL_OWNER, str(folder), *SLEEPER],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    pids = [int(word) for word in done.stdout.split()]
    wait_until(lambda: not any(map(is_running, pids)), within_s=10, what="nothing left")
    assert not folder.exists()


def test_it_leaves_alone_what_it_was_told_to_release(tmp_path: Path) -> None:
    reaper = Reaper(grace_s=0.3)
    with subprocess.Popen(SLEEPER, start_new_session=True) as sleeper:
        reaper.watch(sleeper.pid)
        reaper.release(sleeper.pid)
        reaper.close()
        assert sleeper.poll() is None
        sleeper.kill()
    assert tmp_path.exists()


def test_a_killed_reaper_does_not_hinder_its_owner(tmp_path: Path) -> None:
    reaper = Reaper()
    psutil.Process(reaper.pid).kill()
    child = ChildProcess(
        Launch(argv=SLEEPER), log=tmp_path / "sleeper.log", reaper=reaper
    )
    child.ask_to_stop()
    assert child.wait(timeout_s=10)
    child.kill_group()
    reaper.close()
    assert child.exit_code == -signal.SIGTERM


def test_logs_of_the_last_three_runs_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "log" / "web.log"
    for run in range(6):
        rotate_log(log)
        log.write_text(f"run {run}\n")
    kept = {path.name: path.read_text() for path in log.parent.iterdir()}
    assert kept == {
        "web.log": "run 5\n",
        "web.log.1": "run 4\n",
        "web.log.2": "run 3\n",
        "web.log.3": "run 2\n",
    }


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    assert log_tail(log) == ""
    log.write_text("".join(f"line {number}\n" for number in range(20)))
    assert log_tail(log).splitlines() == [f"line {number}" for number in range(12, 20)]
