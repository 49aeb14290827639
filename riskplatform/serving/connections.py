"""The TCP connections of this process, as the kernel sees them, and their limit.

Granian hides its connections. Their file descriptors are the process' own, though, and
the kernel says of each where it comes from and what it was sent. Only Linux reports
this; elsewhere nothing is found, and nothing is closed.
"""

import logging
import os
import socket
import stat
import struct
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Final

from riskplatform.env import env_int

DESCRIPTORS: Final = Path("/proc/self/fd")
TCP_INFO: Final = getattr(socket, "TCP_INFO", None)
TCP_INFO_BYTES: Final = 256
# In struct tcp_info of linux/tcp.h: tcpi_last_data_recv and tcpi_bytes_sent.
SILENT_MS: Final = struct.Struct("@I"), 52
SENT_BYTES: Final = struct.Struct("@Q"), 200
# How long an answer may take from the server's hands to the kernel's.
LOOK_AGAIN_S: Final = 0.005
LOOKS: Final = 20
# How many connections one address may have, and how often that is looked at.
USUAL_LIMIT: Final = 256
COUNT_EVERY_S: Final = 0.5

logger = logging.getLogger(__name__)

Peer = tuple[str, int]


@dataclass(frozen=True, slots=True)
class OwnConnection:
    """A connection that was accepted here, by a descriptor of its own."""

    peer: Peer
    _socket: socket.socket

    @property
    def silent_ms(self) -> int:
        """Milliseconds since anything came."""
        return self._info(*SILENT_MS)

    @property
    def sent_bytes(self) -> int:
        return self._info(*SENT_BYTES)

    def shut(self) -> None:
        """Close it, also while a thread reads or writes it."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _info(self, kind: struct.Struct, offset: int) -> int:
        if TCP_INFO is None:
            return 0
        info = self._socket.getsockopt(socket.IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES)
        if len(info) < offset + kind.size:
            return 0
        number: int = kind.unpack_from(info, offset)[0]
        return number


def own_connections(port: int) -> Iterator[OwnConnection]:
    """Go through the connections that came in at a port; use each before the next."""
    for found in _sockets():
        with found, suppress(OSError):
            # Names of Unix sockets are no tuples; what listens has no peer.
            if found.getsockname()[1:2] == (port,):
                address, peer_port = found.getpeername()[:2]
                yield OwnConnection((address, peer_port), found)


def sent_bytes(address: str, port: int) -> dict[Peer, int]:
    """Count the bytes sent on each connection from an address."""
    return {
        connection.peer: connection.sent_bytes
        for connection in own_connections(port)
        if connection.peer[0] == address
    }


def shut_who_was_sent(before: Mapping[Peer, int], n_bytes: int, port: int) -> bool:
    """End the connection that has been sent just so many bytes more than before."""
    for _ in range(LOOKS):
        for connection in own_connections(port):
            sent = before.get(connection.peer)
            if sent is not None and connection.sent_bytes == sent + n_bytes:
                connection.shut()
                return True
        time.sleep(LOOK_AGAIN_S)
    return False


class ConnectionLimit:
    """Ends what an address has beyond its limit: what has been silent for longest.

    Behind proxies of ours all connections are theirs, and limits are theirs too.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._most = env_int("WEB_CONNECTIONS_PER_ADDRESS", USUAL_LIMIT)
        self._is_on = bool(self._most) and not env_int("TRUSTED_PROXIES", 0)

    def start(self) -> None:
        if self._is_on:
            Thread(target=self._watch, name="connections", daemon=True).start()

    def enforce(self) -> int:
        """End what is too much now; return how many that were."""
        silent_ms: dict[str, list[tuple[int, Peer]]] = defaultdict(list)
        for connection in own_connections(self._port):
            address, _ = peer = connection.peer
            silent_ms[address].append((connection.silent_ms, peer))
        surplus = {
            peer
            for of_one in silent_ms.values()
            for _, peer in sorted(of_one, reverse=True)[
                : max(0, len(of_one) - self._most)
            ]
        }
        if surplus:
            for connection in own_connections(self._port):
                if connection.peer in surplus:
                    connection.shut()
        return len(surplus)

    def _watch(self) -> None:
        while True:
            time.sleep(COUNT_EVERY_S)
            try:
                n_ended = self.enforce()
            except OSError:
                logger.exception("the connections could not be counted")
                continue
            if n_ended:
                logger.warning("ended %d connections beyond the limit", n_ended)


def _sockets() -> Iterator[socket.socket]:
    if not DESCRIPTORS.is_dir():
        return
    for name in os.listdir(DESCRIPTORS):  # noqa: PTH208 - thousands of bare numbers
        try:
            duplicate = os.dup(int(name))
        except OSError:
            continue
        if stat.S_ISSOCK(os.fstat(duplicate).st_mode):
            yield socket.socket(fileno=duplicate)
        else:
            os.close(duplicate)
