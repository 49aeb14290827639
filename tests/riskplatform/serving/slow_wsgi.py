"""A tiny WSGI application for the drain tests: the query says how long it takes."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from riskplatform.api.draining import Draining, is_draining, listen_for_drain
from riskplatform.kernel.heartbeat import heartbeat

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

N_PARTS = 10


def slow(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    taking_s = float(environ["QUERY_STRING"] or 0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/stream":
        return Parts(taking_s)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    time.sleep(taking_s)
    return [b"draining" if is_draining() else b"finished"]


class Parts:
    def __init__(self, taking_s: float) -> None:
        self._pause_s = taking_s / N_PARTS

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(N_PARTS):
            time.sleep(self._pause_s)
            yield b"part"

    def close(self) -> None:
        """Granian asks for it."""


application = Draining(slow)
listen_for_drain()
heartbeat.start()
