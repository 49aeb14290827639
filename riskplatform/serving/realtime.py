"""Daphne with a draining stop: nothing in flight is cut off by a deployment."""

import logging
import signal
import time
from typing import Any

from daphne.server import Server as DaphneServer
from daphne.server import reactor, twisted_loop
from daphne.ws_protocol import WebSocketProtocol

from riskplatform.serving.pacing import Pacing

DRAIN_TIMEOUT_S = 25.0
POLL_S = 0.05
CLOSE_NORMAL = 1000
# RFC 6455: the service restarts, so reconnect soon, somewhere else if possible.
CLOSE_SERVICE_RESTART = 1012
CLOSE_REASON = b"service restarts"
# What a client may send; larger frames end its socket with 1009.
MAX_FRAME_BYTES = 65_536

logger = logging.getLogger(__name__)


class DrainingDaphne(DaphneServer):  # type: ignore[misc]  # daphne has no types
    """Stops in order: listening, WebSockets with 1012, requests in flight, itself."""

    def __init__(
        self,
        application: Any,
        *,
        host: str,
        port: int,
        drain_timeout_s: float = DRAIN_TIMEOUT_S,
    ) -> None:
        endpoint = f"tcp:port={port}:interface={host}:backlog=1024"
        super().__init__(
            application,
            endpoints=[endpoint],
            signal_handlers=False,
            websocket_max_frame_size=MAX_FRAME_BYTES,
            websocket_max_message_size=MAX_FRAME_BYTES,
            # Sockets and streams live for as long as their clients answer pings.
            websocket_timeout=-1,
        )
        self._drain_timeout_s = drain_timeout_s
        self._drain_deadline_s: float | None = None
        self._ports: list[Any] = []

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            twisted_loop.add_signal_handler(number, self.drain)
        super().run()

    def listen_success(self, port: Any) -> None:
        self._ports.append(port)
        super().listen_success(port)

    @property
    def listened(self) -> bool:
        """Return whether the port could be opened at all."""
        return bool(self.listening_addresses)

    def drain(self) -> None:
        """Stop as soon as nothing is in flight; called again, stop at once."""
        if self._drain_deadline_s is not None:
            self.stop()
            return
        logger.warning("draining, for %.0f s at most", self._drain_timeout_s)
        self._drain_deadline_s = time.monotonic() + self._drain_timeout_s
        for port in self._ports:
            port.stopListening()
        self._stop_when_idle()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Tell the application of how fast its client reads, and of the end."""
        pacing = Pacing(protocol)
        self.connections[protocol]["pacing"] = pacing
        extensions = {**scope.get("extensions", {}), Pacing.EXTENSION: pacing}
        return super().create_application(protocol, {**scope, "extensions": extensions})

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send a close with its reason, and with codes that daphne refuses: 1011."""
        if message["type"] == "websocket.close" and is_open_socket(protocol):
            reason = message.get("reason") or ""
            code = message.get("code") or CLOSE_NORMAL
            protocol.sendCloseFrame(code=code, reasonUtf8=reason.encode())
            return
        await super().handle_reply(protocol, message)

    def kill_all_applications(self) -> None:
        """Cancel what is left; daphne's own version fails on finished requests."""
        for details in self.connections.values():
            application = details.get("application_instance")
            if application is not None:
                application.cancel()

    def _stop_when_idle(self) -> None:
        self._close_sockets()
        busy = sum(map(in_flight, self.connections.values()))
        deadline_s = self._drain_deadline_s or 0.0
        if not busy or time.monotonic() >= deadline_s:
            logger.warning("drained, %d connections cut off", busy)
            self.stop()
        else:
            reactor.callLater(POLL_S, self._stop_when_idle)

    def _close_sockets(self) -> None:
        # Repeated: a handshake under way at the signal opens its socket later.
        for protocol in list(self.connections):
            if is_open_socket(protocol):
                # The public `sendClose` lets only 1000 and 3000 to 4999 through.
                protocol.sendCloseFrame(
                    code=CLOSE_SERVICE_RESTART, reasonUtf8=CLOSE_REASON
                )
        # Streams over HTTP have no such frame, so they just end.
        for details in self.connections.values():
            if (pacing := details.get("pacing")) is not None:
                pacing.begin_end()


def is_open_socket(protocol: Any) -> bool:
    return isinstance(protocol, WebSocketProtocol) and (
        protocol.state == WebSocketProtocol.STATE_OPEN
    )


def in_flight(details: dict[str, Any]) -> bool:
    """Return whether a connection is open or its consumer still cleans up."""
    application = details.get("application_instance")
    running = application is not None and not application.done()
    return "disconnected" not in details or running
