"""A small web server that answers as it is told, and keeps what it was asked."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from threading import Thread

from perf.bench.client import LIVENESS_PATH, Address

Asked = tuple[str, str, str, bytes]


@dataclass(slots=True)
class FakeWeb:
    """`bodies` are given in turn, the last one for ever.

    It refuses the path `broken`, and everything after `breaks_after` answers.
    """

    address: Address
    bodies: list[bytes] = field(default_factory=lambda: [b"{}"])
    broken: str = "/broken"
    breaks_after: float = inf
    count: int = 0
    asked: set[Asked] = field(default_factory=set)

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        if asked[1] == LIVENESS_PATH:
            return 200, b"ok"
        self.asked.add(asked)
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        self.count += 1
        is_broken = asked[1] == self.broken or self.count > self.breaks_after
        return (500 if is_broken else 200), body


@contextmanager
def fake_web(*bodies: bytes) -> Generator[FakeWeb]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            key = self.headers.get("X-Key", "")
            status, answer = web.answer((self.command, self.path, key, body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web = FakeWeb(address=Address(port=server.server_address[1]))
    web.bodies = list(bodies) or web.bodies
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
