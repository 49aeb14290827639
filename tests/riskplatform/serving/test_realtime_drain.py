"""The realtime process stops without cutting anybody off."""

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import websocket

from riskplatform.embedded.ports import LOOPBACK, free_port, is_listening
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[3]
Start = Callable[[float], tuple["subprocess.Popen[str]", int]]


@pytest.fixture
def start() -> Generator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start_server(drain_timeout_s: float) -> tuple["subprocess.Popen[str]", int]:
        port = free_port()
        argv = [
            "-m",
            "tests.riskplatform.serving.slow_asgi",
            str(port),
            str(drain_timeout_s),
        ]
        process = subprocess.Popen(
            [sys.executable, *argv], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        wait_until(lambda: is_listening(port), within_s=20, what="listening")
        return process, port

    yield start_server
    for process in started:
        process.kill()
        process.communicate()


def get(port: int, seconds: float) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=30)) as connection:
        connection.request("GET", f"/?{seconds}")
        response = connection.getresponse()
        return response.status, response.read()


def test_a_request_in_flight_at_sigterm_is_answered(start: Start) -> None:
    process, port = start(25)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(get, port, 2.0)
        # An answered second request proves that the first one has arrived.
        assert get(port, 0.1) == (200, b"finished")
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(port), within_s=5, what="port closed")
        assert not answer.done()
        assert answer.result(timeout=20) == (200, b"finished")
    assert process.wait(10) == 0


def test_a_socket_is_closed_with_1012_and_its_consumer_hears_of_it(
    start: Start,
) -> None:
    process, port = start(25)
    url = f"ws://{LOOPBACK}:{port}/"
    client = websocket.create_connection(url, timeout=20)
    process.send_signal(signal.SIGTERM)
    opcode, frame = client.recv_data()
    client.shutdown()  # type: ignore[no-untyped-call]  # the package is half typed
    assert (opcode, int.from_bytes(frame[:2], "big")) == (
        websocket.ABNF.OPCODE_CLOSE,
        1012,
    )
    output, _ = process.communicate(timeout=10)
    assert (process.returncode, output) == (0, "disconnected\n")


def test_a_request_longer_than_the_drain_is_cut_off(start: Start) -> None:
    process, port = start(0.5)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(get, port, 60.0)
        assert get(port, 0.1) == (200, b"finished")
        process.send_signal(signal.SIGTERM)
        with pytest.raises((http.client.HTTPException, OSError)):
            answer.result(timeout=20)
    assert process.wait(10) == 0


def test_a_second_signal_stops_at_once(start: Start) -> None:
    process, port = start(60)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(get, port, 60.0)
        assert get(port, 0.1) == (200, b"finished")
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(port), within_s=5, what="port closed")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        with pytest.raises((http.client.HTTPException, OSError)):
            answer.result(timeout=20)


def test_a_port_in_use_is_an_error_that_names_it() -> None:
    with socket.create_server((LOOPBACK, 0)) as squatter:
        port = squatter.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "manage.py", "run_realtime", "--port", str(port)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} on {LOOPBACK} cannot be opened" in done.stderr
