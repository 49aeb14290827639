"""Headers with underscores: what the servers make of them (docs/access.md)."""

import http.client
import io
import json
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from django.core.handlers.asgi import ASGIRequest

from riskplatform.embedded.ports import LOOPBACK, free_port, is_listening
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[3]
WORDS = ("-m", "riskplatform.serving.web", "--workers", "1", "--threads", "1")


@pytest.fixture(scope="module")
def port() -> Generator[int]:
    """Run Granian, as the platform starts it, around an application that echoes."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, *WORDS, "--port", str(port), "--lame-duck", "0"),
            "tests.riskplatform.serving.echo_wsgi:application",
        ],
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_listening(port), within_s=20, what="listening")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def arrived(port: int, headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=20)) as connection:
        connection.putrequest("GET", "/")
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        found: dict[str, str] = json.loads(connection.getresponse().read())
    return found


def test_granian_passes_them_on_so_a_proxy_has_to_drop_them(port: int) -> None:
    # If this fails, Granian has changed: docs/access.md can ask less of a proxy.
    sent = [("X-Forwarded-For", "192.0.2.1"), ("X_Forwarded_For", "198.51.100.1")]
    assert arrived(port, sent)["HTTP_X_FORWARDED_FOR"] == "198.51.100.1"
    assert arrived(port, sent[::-1])["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert arrived(port, [("X_API_Key", "k")])["HTTP_X_API_KEY"] == "k"


def test_the_realtime_process_ignores_them() -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"x_api_key", b"under"), (b"x-organisation", b"acme")],
    }
    headers = ASGIRequest(scope, io.BytesIO()).headers
    assert "X-API-Key" not in headers
    assert headers["X-Organisation"] == "acme"
