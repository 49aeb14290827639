"""Listens on the loopback interface and gives every client a thread of its own."""

import ipaddress
import logging
import socket
import threading
import time

from riskplatform.embedded.clickhouse import protocol
from riskplatform.embedded.clickhouse.conversation import Host, converse
from riskplatform.embedded.clickhouse.errors import (
    TOO_MANY_CONNECTIONS,
    ProtocolError,
    refusal,
)
from riskplatform.embedded.clickhouse.protocol import Line
from riskplatform.embedded.errors import EmbeddedServerError

logger = logging.getLogger(__name__)

BACKLOG = 128
HELLO_TIMEOUT_S = 10.0
REFUSAL_TIMEOUT_S = 0.5
DRAIN_S = 10.0


Address = tuple[str, int]


class ClickHouseListener:
    """Accepts up to `max_connections` clients; the next is refused with a reason."""

    def __init__(self, host: Host, *, address: Address, max_connections: int) -> None:
        self._host = host
        self._max_connections = max_connections
        self._listener = _listen(address)
        self._clients: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._accepting = threading.Thread(
            target=self._accept_until_closed, name="accept", daemon=True
        )

    @property
    def address(self) -> Address:
        host, port = self._listener.getsockname()[:2]
        return host, port

    def start(self) -> None:
        self._host.watcher.start()
        self._accepting.start()

    def stop(self) -> None:
        """Take no new clients, let running statements finish, then stop them."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        self._host.watcher.stop()
        self._cut(socket.SHUT_RD)
        if not self._is_quiet_within(DRAIN_S):
            logger.warning("statements still running after %s s are stopped", DRAIN_S)
            self._host.watcher.kill_all()
            self._cut(socket.SHUT_RDWR)
            self._is_quiet_within(DRAIN_S)

    def _accept_until_closed(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        with self._lock:
            if len(self._clients) < self._max_connections:
                thread = threading.Thread(
                    target=self._converse, args=(connection,), daemon=True
                )
                self._clients[thread] = connection
                thread.start()
                return
        self._refuse(connection)

    def _refuse(self, connection: socket.socket) -> None:
        connection.settimeout(REFUSAL_TIMEOUT_S)
        reason = refusal(
            f"Too many connections: the embedded server takes {self._max_connections} "
            "at a time. Close some, or start it with a larger --max-connections.",
            TOO_MANY_CONNECTIONS,
        )
        with connection:
            try:
                # Unread bytes would turn the close into a reset that eats the reason.
                line = Line(connection)
                protocol.read_hello(line)
                line.send(protocol.exception_packet(reason))
            except (OSError, EOFError, ProtocolError):
                logger.warning("a refused client left before it was told why")

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(HELLO_TIMEOUT_S)
        try:
            converse(self._host, connection)
        except (OSError, EOFError) as error:
            logger.debug("a client left: %s", error)
        except ProtocolError as error:
            logger.warning("a client was cut off: %s", error)
        except Exception:
            logger.exception("a conversation failed")
        finally:
            connection.close()
            with self._lock:
                del self._clients[threading.current_thread()]

    def _cut(self, direction: int) -> None:
        with self._lock:
            for connection in self._clients.values():
                try:
                    connection.shutdown(direction)
                except OSError:
                    logger.debug("a client was gone already")

    def _is_quiet_within(self, limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        with self._lock:
            threads = list(self._clients)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)


def _listen(address: Address) -> socket.socket:
    host, port = address
    if not _is_loopback(host):
        raise EmbeddedServerError(
            f"The embedded server does not listen on {host}: it serves this "
            "machine alone. Use 127.0.0.1, or a real ClickHouse server.",
            host=host,
        )
    try:
        return socket.create_server(address, backlog=BACKLOG)
    except OSError as error:
        raise EmbeddedServerError(
            f"Port {port} on {host} cannot be opened: "
            f"{error.strerror}. Choose another --port.",
            port=port,
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return host == "localhost"
