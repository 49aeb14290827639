"""Granian's WSGI requests, which may be answered from another thread.

Granian knows no time limit for a body, and none for a thread that waits for one. It
takes an answer from any thread, though, and the first counts. So this replaces
`granian.wsgi`, and does what that does.
"""

import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from itertools import cycle
from typing import Any, Final

from granian.wsgi import Response, ResponseIterWrap

from riskplatform.kernel.detaching import DETACHABLE, Headers
from riskplatform.serving.connections import sent_bytes, shut_who_was_sent

Scope = dict[str, Any]
# What Granian writes around the headers and the body that it is given.
STATUS_LINE: Final = "HTTP/1.1 {} {}\r\n"
OWN_HEADERS: Final = "server: granian\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n"
# Answers up to this are sent whole, files for instance.
SHORT_BYTES: Final = 8 << 20
# Blanks after the body, so that no other answer of this moment has the same length.
_PADDING = cycle(range(1, 500))
# What an application returns that has not answered: this very list.
DETACHED: Final[list[bytes]] = []


class GranianRequest(Response):
    """What an application starts its answer with, and may detach it from its thread.

    See `riskplatform.kernel.detaching.Detachable`.
    """

    __slots__ = ("_protocol", "_scope", "request_id")

    def __init__(self, protocol: Any, scope: Scope) -> None:
        self._protocol = protocol
        self._scope = scope
        self.request_id = ""
        self.status = 200
        self.headers: list[tuple[str, str]] = []

    def detach(self) -> Iterable[bytes]:
        return DETACHED

    def deliver(self, answer: Iterable[bytes]) -> None:
        if not (isinstance(answer, list) or self._is_short()):
            parts = ResponseIterWrap(answer)  # type: ignore[no-untyped-call]  # half typed
            self._protocol.response_iter(self.status, self.headers, parts)
            return
        try:
            # A client that reads slowly is to hold up no thread.
            body = b"".join(answer)
            self._protocol.response_bytes(self.status, self.headers, body)
        finally:
            if (close := getattr(answer, "close", None)) is not None:
                close()

    def _is_short(self) -> bool:
        for name, value in self.headers:
            if name.lower() == "content-length":
                return value.isdigit() and int(value) <= SHORT_BYTES
        return False

    def expel(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer, and close the connection that has been sent just this answer.

        Granian does not say which connection a request came by, and leaves one open
        while a thread waits for its body. The kernel counts what each was sent.
        """
        padded = body + b" " * next(_PADDING)
        lines = [
            *((name, value) for name, value in headers if name != "Content-Length"),
            ("Content-Length", str(len(padded))),
            ("Connection", "close"),
        ]
        port = int(self._scope["SERVER_PORT"])
        before = sent_bytes(self._scope["REMOTE_ADDR"], port)
        self._protocol.response_bytes(status, lines, padded)
        shut_who_was_sent(before, _n_sent(status, lines, len(padded)), port)


def request_callback(
    application: Callable[..., Iterable[bytes]], *_options: Any
) -> Callable[[Any, Scope], None]:
    """Make what Granian calls for each request, in one of its threads.

    Unlike Granian's own it puts no variables of the process into requests: copying
    them costs each a microsecond, and some are secrets.
    """
    base: Scope = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SCRIPT_NAME": "",
        "SERVER_SOFTWARE": "Granian",
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
    }

    def handle(protocol: Any, scope: Scope) -> None:
        environ = base | scope
        # It has the headers of GET; the server leaves the body out.
        if environ["REQUEST_METHOD"] == "HEAD":
            environ["REQUEST_METHOD"] = "GET"
        environ[DETACHABLE] = request = GranianRequest(protocol, scope)
        answer = application(environ, request)
        if answer is not DETACHED:
            request.deliver(answer)

    return handle


def _n_sent(status: int, headers: Headers, n_body: int) -> int:
    """Count the bytes of an answer as Granian writes it."""
    status_line = STATUS_LINE.format(status, HTTPStatus(status).phrase)
    written = sum(len(f"{name}: {value}\r\n") for name, value in headers)
    return len(status_line) + written + len(OWN_HEADERS) + n_body
