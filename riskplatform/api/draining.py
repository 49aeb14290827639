"""While a web process is about to stop, its clients are sent elsewhere."""

import signal
import threading
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DRAIN_SIGNAL = signal.SIGUSR1
# A later version of HTTP has no such header, and closes connections by itself.
VERSION = "HTTP/1.1"
# Signals to drain that this process got. Not an Event: a handler may not take locks.
_signals: list[int] = []


def is_draining() -> bool:
    return bool(_signals)


def listen_for_drain() -> None:
    """Begin to drain at the signal; it reaches a process in its main thread only."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(DRAIN_SIGNAL, _begin)


class Draining:
    """WSGI middleware: says `Connection: close` with every answer while it drains."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if not is_draining() or environ.get("SERVER_PROTOCOL") != VERSION:
            return self._app(environ, start_response)

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Any:
            closing = [*headers, ("Connection", "close")]
            return start_response(status, closing, exc_info)

        return self._app(environ, start)


def _begin(number: int, _frame: FrameType | None) -> None:
    _signals.append(number)
