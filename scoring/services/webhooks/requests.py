"""One POST to a checked address: no redirect, no proxy, a bounded time."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

from django.conf import settings

from scoring.services.webhooks.addresses import Target, check_url, resolve

TOO_SLOW = "the receiver took too long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The status of an answer; its body is never read."""

    status: int

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Return whether the receiver says that it wants no messages any more."""
        return self.status == HTTPStatus.GONE


def post(url: str, body: bytes, *, headers: Mapping[str, str]) -> Reply:
    """Send a body and read the status of the answer.

    Raises
    ------
    WebhookAddressError
        The address is none that messages are sent to.
    OSError, http.client.HTTPException
        The receiver cannot be reached, is too slow, or does not speak HTTP.
    """
    target = check_url(url)
    connection = _connection(target, resolve(target))
    timer = threading.Timer(settings.WEBHOOK_TIMEOUT_S, connection.cut_off)
    timer.start()
    try:
        connection.request("POST", target.path, body=body, headers=dict(headers))
        reply = Reply(status=connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        raise connection.explained(error) from error
    finally:
        timer.cancel()
        connection.close()
    if connection.is_cut_off:
        # What was read until then passes for an answer that ended early.
        raise TimeoutError(TOO_SLOW)
    return reply


class _PinnedConnection(http.client.HTTPConnection):
    """Speaks to an address that was checked, in the name of the host.

    The timeout of a socket is that of one step. A receiver that sends a byte now
    and then would never run into it, so the whole can be cut off from outside.
    """

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.host, target.port, timeout=settings.WEBHOOK_TIMEOUT_S)
        self.address = address
        self.is_cut_off = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)

    def explained(self, error: Exception) -> Exception:
        return TimeoutError(TOO_SLOW) if self.is_cut_off else error

    def cut_off(self) -> None:
        self.is_cut_off = True
        if self.sock is not None:
            with suppress(OSError):
                # The plain method: that of TLS would say goodbye first, and wait.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _PinnedTlsConnection(_PinnedConnection):
    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        # Known here before it speaks, so that a handshake can be cut off too.
        self.sock = _tls().wrap_socket(
            self.sock, server_hostname=self.host, do_handshake_on_connect=False
        )
        self.sock.do_handshake()


def _connection(target: Target, address: str) -> _PinnedConnection:
    if target.scheme == "https":
        return _PinnedTlsConnection(target, address)
    return _PinnedConnection(target, address)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
