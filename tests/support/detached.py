"""A server whose requests may be answered from another thread, without a socket."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from riskplatform.kernel.detaching import DETACHABLE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

DETACHED: list[bytes] = []
WITHIN_S = 30.0


@dataclass(slots=True)
class DetachedRequest:
    """Starts its answer as WSGI does, and gets the rest of it from any thread."""

    request_id: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_answered: Event = field(default_factory=Event)

    def __call__(self, status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        self.status, self.headers = int(status[:3]), dict(headers)

    def detach(self) -> Iterable[bytes]:
        return DETACHED

    def deliver(self, answer: Iterable[bytes]) -> None:
        try:
            self.body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
            self.is_answered.set()

    def expel(
        self, status: int, headers: Sequence[tuple[str, str]], body: bytes
    ) -> None:
        self.status, self.headers, self.body = status, dict(headers), body
        self.is_answered.set()


def begin(
    app: "WSGIApplication", path: str = "/api/v1/regions", **environ: Any
) -> DetachedRequest:
    """Send a request and do not wait for the answer."""
    request = DetachedRequest()
    environ = {
        "PATH_INFO": path,
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": "192.0.2.1",
        DETACHABLE: request,
    } | environ
    answer = app(environ, request)
    if answer is not DETACHED:
        request.deliver(answer)
    return request


def send(
    app: "WSGIApplication", path: str = "/api/v1/regions", **environ: Any
) -> DetachedRequest:
    """Send a request and wait for its answer."""
    request = begin(app, path, **environ)
    assert request.is_answered.wait(WITHIN_S), path
    return request
