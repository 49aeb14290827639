"""The realtime port has sockets and probes; what has limits elsewhere is not there."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager

import pytest

from riskplatform.embedded.ports import LOOPBACK, free_port, is_listening
from riskplatform.serving.processes import CHECKOUT
from tests.support.waiting import wait_until
from tests.support.webs import Platform


@contextmanager
def serving(platform: Platform, *command: str) -> Generator[int]:
    port = free_port()
    words = [word.format(port=port) for word in command]
    process = subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=CHECKOUT,
        env={**os.environ, **platform.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_listening(port), within_s=60, what="listening")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def get(port: int, path: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": "localhost"})
        response = connection.getresponse()
        return response.status, response.read()


@pytest.fixture(scope="module")
def realtime(platform: Platform) -> Generator[int]:
    with serving(platform, "run_realtime", "--port", "{port}") as port:
        yield port


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/regions", "/api/schema/", "/admin/login/", "/healthy"]
)
def test_neither_api_nor_admin_is_there(path: str, realtime: int) -> None:
    status, body = get(realtime, path)
    problem = json.loads(body)
    assert (status, problem["code"]) == (404, "not_found")


def test_probes_are(realtime: int) -> None:
    assert get(realtime, "/health/live") == (200, b'{"status":"ok"}')


def test_development_has_all_on_one_port(platform: Platform) -> None:
    with serving(platform, "runserver", "--noreload", "{port}") as port:
        status, body = get(port, "/api/v1/regions")
    assert status == 200
    assert b"chicago" in body
