"""A real HTTP server that plays the receiver of a webhook."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DRIP_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """What came, and what is answered: a status, `reset`, `silence` or `drip`."""

    url: str = ""
    answer: int | str = 200
    received: list[Received] = field(default_factory=list)


@contextmanager
def receiving(*, certificate: Path | None = None) -> Generator[Receiver]:
    """Run a receiver; with a certificate it speaks TLS."""
    receiver = Receiver()
    released = threading.Event()

    class Handler(_Handler):
        told = receiver
        stopping = released

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if certificate is None else "https"
    receiver.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/hook?a=1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    told: Receiver
    stopping: threading.Event

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.told.received.append(
            Received(
                path=self.path,
                headers=dict(self.headers),
                body=self.rfile.read(length),
            )
        )
        answer = self.told.answer
        if isinstance(answer, int):
            self._answer(answer)
        elif answer == "reset":
            # Closing with a linger of nothing sends a reset.
            option = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
            self.connection.close()
        elif answer == "silence":
            self.stopping.wait(10)
        else:
            self._drip()

    def do_GET(self) -> None:
        """Note a request that no webhook makes: one that followed a redirect."""
        self.told.received.append(Received(path="GET", headers={}, body=b""))
        self._answer(200)

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _drip(self) -> None:
        """Send a byte of a header now and then, so that no read times out."""
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
        until_s = time.monotonic() + 10
        with suppress(OSError):
            while time.monotonic() < until_s and not self.stopping.wait(DRIP_S):
                self.wfile.write(b"x")
