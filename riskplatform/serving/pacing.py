"""How fast a client reads: without asking, what it does not read piles up in memory.

ASGI servers take every message at once. Here an application can wait until the socket
of its client has taken what was sent before, and learns that the server is to end.
"""

import asyncio
from typing import Any, ClassVar

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


@implementer(IPushProducer)
class Pacing:
    """Of one connection; the transport says when it has too much, and enough room."""

    EXTENSION: ClassVar[str] = "riskplatform.pacing"

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._room = asyncio.Event()
        self._room.set()
        self.ending = asyncio.Event()
        self._is_registered = False

    async def room(self, *, within_s: float) -> bool:
        """Wait until the client has read enough; return whether it has."""
        self._register()
        if self._room.is_set():
            return True
        try:
            async with asyncio.timeout(within_s):
                await self._room.wait()
        except TimeoutError:
            return False
        return True

    def begin_end(self) -> None:
        self.ending.set()

    def release(self) -> None:
        """Stop asking; an answer over HTTP can only be finished afterwards."""
        if self._is_registered:
            self._is_registered = False
            self._protocol.unregisterProducer()

    def pauseProducing(self) -> None:  # noqa: N802 - twisted's names
        self._room.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._room.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._room.set()

    def _register(self) -> None:
        if not self._is_registered:
            self._is_registered = True
            if not hasattr(self._protocol, "finish"):
                # A WebSocket; what its HTTP request left behind listens no more.
                self._protocol.unregisterProducer()
            self._protocol.registerProducer(self, streaming=True)
