"""What a server may offer beyond WSGI: to answer a request from another thread.

A WSGI application occupies a thread of the server until it has answered. A request
whose environment holds `DETACHABLE` need not: what is stored there gives the thread
back, and takes the answer from any thread.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

DETACHABLE: Final = "riskplatform.detachable"
Headers = Sequence[tuple[str, str]]


class Detachable(Protocol):
    """One request, which is answered once; what comes after that is dropped."""

    request_id: str

    def detach(self) -> Iterable[bytes]:
        """Give what the application returns to have its thread back, unanswered."""

    def deliver(self, answer: Iterable[bytes]) -> None:
        """Send an answer, with the status and headers given to `start_response`."""

    def expel(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer a request whose body has not come, and close its connection.

        A thread that waits for the body gets its end then.
        """
