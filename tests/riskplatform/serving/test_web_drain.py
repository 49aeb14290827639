"""The web process stops within 30 s and cuts nobody off."""

import http.client
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from riskplatform.embedded.ports import LOOPBACK, free_port, is_listening
from riskplatform.serving.processes import WebServer
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[3]
Start = Callable[..., tuple["subprocess.Popen[bytes]", int]]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


@pytest.fixture
def start(output: Path) -> Generator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start_web(
        *, lame_duck_s: float = 1.0, workers: int = 1
    ) -> tuple["subprocess.Popen[bytes]", int]:
        port = free_port()
        words = ["-m", "riskplatform.serving.web", "--port", str(port)]
        words += ["--threads", "4", "--workers", str(workers)]
        words += ["--lame-duck", str(lame_duck_s)]
        with output.open("wb") as file:
            process = subprocess.Popen(
                [
                    sys.executable,
                    *words,
                    "tests.riskplatform.serving.slow_wsgi:application",
                ],
                cwd=CHECKOUT,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        wait_until(lambda: answers(port), within_s=20, what="answering")
        return process, port

    yield start_web
    for process in started:
        # After a failure something may still wait: a second signal ends that.
        while process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)


def answers(port: int) -> bool:
    try:
        return get(port, "/")[0] == 200
    except OSError:
        return False


def get(port: int, address: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=40)) as connection:
        connection.request("GET", address)
        response = connection.getresponse()
        return response.status, response.read()


def test_requests_at_work_in_line_and_streamed_at_sigterm_are_answered(
    start: Start, output: Path
) -> None:
    process, port = start(lame_duck_s=1.0)
    n_probes = output.read_text().count("begun")
    with ThreadPoolExecutor(8) as clients:
        # More than there are threads: some have not been begun at the signal.
        slow = [clients.submit(get, port, "/?4") for _ in range(6)]
        stream = clients.submit(get, port, "/stream?4")
        wait_until(
            lambda: output.read_text().count("begun") >= n_probes + 3,
            within_s=20,
            what="requests at work",
        )
        asked_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(port), within_s=10, what="port closed")
        assert not any(answer.done() for answer in (*slow, stream))
        assert {answer.result(30)[0] for answer in slow} == {200}
        assert stream.result(30) == (200, b"part" * 10)
    assert process.wait(10) == 0
    assert time.monotonic() - asked_s < WebServer.stop_timeout_s


def test_clients_are_sent_away_before_their_connections_are_closed(
    start: Start,
) -> None:
    process, port = start(lame_duck_s=3.0)
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=20)) as kept:
        kept.request("GET", "/")
        before = kept.getresponse()
        assert (before.read(), before.will_close) == (b"finished", False)
        process.send_signal(signal.SIGTERM)
        wait_until(
            lambda: get(port, "/")[1] == b"draining", within_s=3, what="draining"
        )
        kept.request("GET", "/")
        after = kept.getresponse()
        assert (after.read(), after.will_close) == (b"draining", True)
    assert process.wait(20) == 0


def test_clients_that_ask_again_and_again_are_all_told_to_leave(start: Start) -> None:
    process, port = start(lame_duck_s=2.0, workers=2)
    with ThreadPoolExecutor(12) as clients:
        asking = [clients.submit(ask_until_closed, port, n / 40) for n in range(12)]
        wait_until(lambda: answers(port), within_s=5, what="answering")
        process.send_signal(signal.SIGTERM)
        fates = Counter(client.result(30) for client in asking)
    assert process.wait(30) == 0
    assert fates == {"told to leave": 12}


def ask_until_closed(port: int, pause_s: float) -> str:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=20)
    with closing(connection):
        while True:
            try:
                connection.request("GET", "/?0.01")
                response = connection.getresponse()
                response.read()
            except (http.client.HTTPException, OSError):
                return "cut off"
            if response.will_close:
                return "told to leave"
            time.sleep(pause_s)


def test_a_second_signal_ends_the_wait_but_not_the_requests(start: Start) -> None:
    process, port = start(lame_duck_s=300)
    with ThreadPoolExecutor(1) as clients:
        slow = clients.submit(get, port, "/?2")
        process.send_signal(signal.SIGTERM)
        wait_until(
            lambda: get(port, "/")[1] == b"draining", within_s=5, what="draining"
        )
        process.send_signal(signal.SIGTERM)
        assert slow.result(20)[0] == 200
    assert process.wait(20) == 0
