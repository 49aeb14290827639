"""A WSGI application and what calls it, without a server."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Application:
    """Notes whom it was asked by, and does what it is given while it answers."""

    work: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        self.asked.append(environ["PATH_INFO"])
        self.work()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"done"]


def ask(
    app: "WSGIApplication", path: str = "/api/v1/regions", **environ: Any
) -> Answer:
    """Ask as a server does, and close the answer."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        started.append((status, headers))

    response = app(
        {"PATH_INFO": path, "REMOTE_ADDR": "192.0.2.1", **environ},
        start,
    )
    body = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    [(status, headers)] = started
    return Answer(int(status.split()[0]), dict(headers), body)
