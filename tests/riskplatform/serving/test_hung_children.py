"""Who counts as hung: what asks, what answers, and what is left alone."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from threading import Event, Thread
from typing import ClassVar

import psycopg
import pytest

from riskplatform.embedded.postgres import PostgresServer, children_of
from riskplatform.embedded.process import Launch
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import BeatingService, Service, Site
from riskplatform.kernel import heartbeat
from riskplatform.kernel.heartbeat import Heartbeat
from riskplatform.serving.probing import Prober
from riskplatform.serving.web_workers import MOST_MISSED, STALE_S, WorkerWatch
from tests.support.hanging import hanging
from tests.support.waiting import wait_until

BEATING_PROGRAM = """
import time
from riskplatform.kernel.heartbeat import heartbeat
heartbeat.start()
time.sleep(600)
"""


class Beating(BeatingService):
    name: ClassVar[str] = "beating"

    def launch(self) -> Launch:
        return Launch(
            argv=[sys.executable, "-c", BEATING_PROGRAM],
            env={heartbeat.VARIABLE: str(self.heartbeat)},
        )


class Mute(Service):
    """Says nothing while it is told to hang."""

    name: ClassVar[str] = "mute"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.goes_on = Event()
        self.answer = True
        self.n_asked = 0

    def launch(self) -> Launch:
        raise NotImplementedError

    def answers(self) -> bool:
        self.n_asked += 1
        self.goes_on.wait(60)
        return self.answer


@pytest.fixture
def site() -> Generator[Site]:
    reaper = Reaper(grace_s=1.0)
    with tempfile.TemporaryDirectory(prefix="riskplatform-hung-") as name:
        # PostgreSQL runs as another account where the tests run as root.
        Path(name).chmod(0o711)
        yield Site(var=Path(name), reaper=reaper, password="test-only", durable=False)
        reaper.close()


def looks(prober: Prober, count: int, *, from_s: float = 0.0) -> None:
    """Look as often as probes are due, by a clock of the test's own."""
    for number in range(count):
        prober.look(now_s=from_s + number)
        time.sleep(0.02)


def test_a_question_that_never_comes_back_counts_each_time(site: Site) -> None:
    mute = Mute(site)
    prober = Prober(mute, every_s=1.0)
    looks(prober, 5)
    assert (prober.n_unanswered, prober.is_hung) == (4, False)
    looks(prober, 1, from_s=5.0)
    assert prober.is_hung
    assert mute.n_asked == 1
    mute.goes_on.set()

    def has_answered() -> bool:
        prober.look(now_s=0.0)
        return not prober.is_hung

    wait_until(has_answered, within_s=20, what="an answer, which ends the count")


def test_refusals_in_a_row_count_and_one_answer_ends_them(site: Site) -> None:
    mute = Mute(site)
    mute.goes_on.set()
    mute.answer = False
    prober = Prober(mute, every_s=1.0)
    looks(prober, 5)
    assert not prober.is_hung
    mute.answer = True
    looks(prober, 2, from_s=5.0)
    assert prober.n_unanswered == 0
    prober.forget()
    assert prober.n_unanswered == 0


def test_a_process_that_is_stopped_has_no_heartbeat(site: Site) -> None:
    beating = Beating(site)
    beating.start_and_wait()
    assert beating.responds()
    assert beating.pid is not None
    subprocess.run(["kill", "-STOP", str(beating.pid)], check=True)
    wait_until(lambda: not beating.responds(), within_s=30, what="no heartbeat")
    assert beating.is_alive()
    beating.stop(timeout_s=0)
    assert not beating.is_alive()


def test_a_loop_that_is_late_ends_the_heartbeat_and_a_long_job_does_not(
    tmp_path: Path,
) -> None:
    now_s = 100.0
    beats = Heartbeat(tmp_path / "beat", clock=lambda: now_s)

    def age_s() -> float | None:
        return heartbeat.age_s(tmp_path / "beat", clock=lambda: now_s)

    def from_another_loop(within_s: float) -> None:
        loop = Thread(target=beats.expect, kwargs={"within_s": within_s}, name="job")
        loop.start()
        loop.join()

    beats.expect(within_s=10)
    from_another_loop(3_600)
    beats.beat()
    now_s = 109.0
    beats.beat()
    assert age_s() == 0

    now_s = 120.0
    beats.beat()
    assert age_s() == 11

    beats.expect(within_s=10_000)
    beats.beat()
    assert age_s() == 0
    now_s = 4_000.0
    beats.beat()
    assert beats.is_late()
    assert age_s() == 3_880


def test_without_a_file_nothing_beats(tmp_path: Path) -> None:
    beats = Heartbeat(None)
    beats.start()
    beats.expect(within_s=1)
    beats.beat()
    assert heartbeat.age_s(tmp_path / "beat") is None
    (tmp_path / "beat").write_text("")
    assert heartbeat.age_s(tmp_path / "beat") is None


def test_only_the_hung_of_several_workers_is_killed(tmp_path: Path) -> None:
    watch = WorkerWatch(tmp_path)
    idle = [sys.executable, "-c", "import time; time.sleep(600)"]
    well, hung, new = (subprocess.Popen(idle) for _ in range(3))
    pids = [well.pid, hung.pid, new.pid]
    (tmp_path / f"web-{well.pid}").write_text(str(time.monotonic()))
    (tmp_path / f"web-{hung.pid}").write_text(str(time.monotonic() - STALE_S - 1))
    try:
        found = [watch.look(pids) for _ in range(MOST_MISSED)]
        assert found == [[]] * (MOST_MISSED - 1) + [[hung.pid]]
        assert hung.wait(20) == -signal.SIGKILL
        assert (well.poll(), new.poll()) == (None, None)
        assert watch.look([well.pid, new.pid]) == []
    finally:
        for process in (well, hung, new):
            process.kill()
            process.wait()


def test_postgres_that_hangs_with_its_backends_can_be_started_again(site: Site) -> None:
    server = PostgresServer(site)
    server.start_and_wait()
    assert server.pid is not None
    try:
        with psycopg.connect(server.url) as connection:
            with hanging(server.pid, *children_of(server.pid)):
                assert not server.responds()
                server.stop(timeout_s=0)
            server.start_and_wait()
            assert server.responds()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    finally:
        server.stop()
