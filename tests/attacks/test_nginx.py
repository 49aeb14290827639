"""The configuration of nginx is valid, and slow bodies do not come past it."""

import http.client
import re
import shutil
import subprocess
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from riskplatform.embedded.ports import LOOPBACK, free_port, is_listening
from riskplatform.serving.processes import CHECKOUT
from tests.attacks.slow_clients import slow_clients
from tests.attacks.test_slow_bodies import body
from tests.support.waiting import wait_until
from tests.support.webs import Web

pytestmark = pytest.mark.skipif(
    shutil.which("nginx") is None,
    reason="nginx is not installed; `make setup-extras` installs it",
)
CONFIGURATION = CHECKOUT / "deploy" / "nginx.conf"
ENDED_WITHIN_S = 2


def fitted(folder: Path, *, port: int, web_port: int) -> Path:
    """Write the configuration for a folder, a port and a web of the test.

    It listens without TLS, for which there is no certificate, and waits for less long.
    """
    text = CONFIGURATION.read_text(encoding="utf-8")
    for pattern, replacement in (
        (r"^user [^;]*;", "daemon off;"),
        (r"^pid [^;]*;", f"pid {folder}/pid;"),
        (r"^error_log [^;]*;", f"error_log {folder}/error.log;"),
        (r"access_log [^;]*;", "access_log off;"),
        (r"(http \{)", rf"\1\n{temporary_folders(folder)}"),
        (r"server \{\n\s+listen 80 .*?\n    \}\n", ""),
        (r"listen 443 ssl default_server;", f"listen {LOOPBACK}:{port};"),
        (r"ssl_\w+ [^;]*;", ""),
        (r"server 127.0.0.1:8000;", f"server {LOOPBACK}:{web_port};"),
        (r"client_body_timeout 10s;", f"client_body_timeout {ENDED_WITHIN_S}s;"),
    ):
        text, count = re.subn(
            pattern, replacement, text, flags=re.MULTILINE | re.DOTALL
        )
        assert count, pattern
    file = folder / "nginx.conf"
    file.write_text(text, encoding="utf-8")
    return file


def temporary_folders(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


@dataclass(frozen=True, slots=True)
class Nginx:
    port: int

    def get(self, path: str) -> int:
        with closing(
            http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        ) as connection:
            connection.request("GET", path, headers={"Host": "localhost"})
            return connection.getresponse().status


@pytest.fixture
def nginx(web: Web, tmp_path: Path) -> Generator[Nginx]:
    port = free_port()
    file = fitted(tmp_path, port=port, web_port=web.port)
    words = ["nginx", "-p", str(tmp_path), "-e", f"{tmp_path}/error.log", "-c"]
    subprocess.run([*words, str(file), "-t"], check=True, capture_output=True)
    process = subprocess.Popen([*words, str(file)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_listening(port), within_s=20, what="listening")
        yield Nginx(port)
    finally:
        process.terminate()
        process.wait(20)


def test_slow_bodies_do_not_come_past_it(web: Web, nginx: Nginx) -> None:
    begin, _ = body("nothing")
    with slow_clients(
        nginx.port, count=90, begin=begin, address="127.0.0.2"
    ) as clients:
        assert [nginx.get("/health/live") for _ in range(5)] == [200] * 5
        assert nginx.get("/api/v1/regions") == 200
        wait_until(lambda: clients.n_open == 0, within_s=30, what="all ended")


def test_an_address_has_a_limited_number_of_connections(nginx: Nginx) -> None:
    begin, _ = body("nothing")
    with slow_clients(
        nginx.port, count=150, begin=begin, address="127.0.0.2"
    ) as clients:
        wait_until(lambda: clients.n_open <= 100, within_s=10, what="surplus refused")
        assert nginx.get("/api/v1/regions") == 200
