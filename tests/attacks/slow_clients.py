"""Clients that send a beginning and then next to nothing."""

import socket
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, Thread

from riskplatform.embedded.ports import LOOPBACK

DRIP_S = 0.5


class SlowClients:
    """Open connections; each gets a drop of `drip` now and then."""

    def __init__(self, sockets: Sequence[socket.socket], drip: bytes) -> None:
        self._sockets = sockets
        self._drip = drip
        self._ended = Event()

    def drip(self) -> None:
        while self._drip and not self._ended.wait(DRIP_S):
            for client in self._sockets:
                with suppress(OSError):
                    client.send(self._drip)

    def stop(self) -> None:
        self._ended.set()

    @property
    def n_open(self) -> int:
        """Count those that the server has not ended."""
        return sum(map(_is_open, self._sockets))


@contextmanager
def slow_clients(
    port: int, *, count: int, begin: bytes, drip: bytes = b"", address: str = LOOPBACK
) -> Generator[SlowClients]:
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(
                socket.create_connection(
                    (LOOPBACK, port), timeout=10, source_address=(address, 0)
                )
            )
            for _ in range(count)
        ]
        for client in sockets:
            # One that is ended at once cannot be written to.
            with suppress(OSError):
                client.sendall(begin)
            client.setblocking(False)
        clients = SlowClients(sockets, drip)
        dripping = Thread(target=clients.drip)
        dripping.start()
        try:
            yield clients
        finally:
            clients.stop()
            dripping.join()


def _is_open(client: socket.socket) -> bool:
    """Read away what came; the end of it says that the other side has closed."""
    try:
        while client.recv(1 << 16):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
