"""A TCP proxy that lets nothing back to the client until it is told to."""

import socket
import threading
from contextlib import suppress

LOOPBACK = "127.0.0.1"


class DelayProxy:
    """Passes bytes on; answers wait for as long as `is_open` is not set."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server((LOOPBACK, 0))
        self._sockets = [self._listener]
        self.port: int = self._listener.getsockname()[1]
        self.is_open = threading.Event()
        self.is_open.set()
        self.n_connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.is_open.set()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.n_connections += 1
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for source, sink, is_answer in (
                    (client, server, False),
                    (server, client, True),
                ):
                    threading.Thread(
                        target=self._pass_on,
                        args=(source, sink, is_answer),
                        daemon=True,
                    ).start()

    def _pass_on(
        self, source: socket.socket, sink: socket.socket, is_answer: bool
    ) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if is_answer:
                    self.is_open.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
