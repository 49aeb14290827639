"""One POST to a public address: no redirect, no proxy, a bounded time.

A webhook must not reach what only this machine can reach (server-side request
forgery, OWASP API7). The name is looked up once, every address of it is checked,
and the connection goes to a checked address.
"""

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from scoring.errors import WebhookAddressError

PORTS: Final = frozenset({443, 8443})
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
MAX_URL_CHARS: Final = 500
VISIBLE_ASCII: Final = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
HOST_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]"
)
PRIVATE_ENDINGS: Final = (
    *(".localhost", ".local", ".internal", ".intranet", ".lan", ".home", ".corp"),
    *(".home.arpa", ".localdomain", ".test", ".invalid", ".onion", ".svc"),
)
# What looks public to `ipaddress`: a cloud's virtual servers, protocol
# assignments, relays, and examples in documents.
SPECIAL: Final = tuple(
    ip_network(text)
    for text in (
        *("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24"),
        *("2001:db8::/32", "3fff::/20"),
    )
)
# Forms of IPv6 that stand for, or carry, an IPv4 address.
CARRIERS: Final = tuple(
    ip_network(text)
    for text in (
        *("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"),
        *("64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10"),
    )
)

Address = IPv4Address | IPv6Address
TOO_SLOW = "the receiver took too long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a message goes: the parts of a checked URL."""

    scheme: str
    host: str
    port: int
    path: str


def check_url(url: str) -> Target:
    """Take a URL apart, and refuse what no message is sent to.

    Raises
    ------
    WebhookAddressError
        Says what is wrong with it.
    """
    if len(url) > MAX_URL_CHARS or VISIBLE_ASCII.fullmatch(url) is None:
        raise _refusal(
            f"A URL has up to {MAX_URL_CHARS} visible ASCII characters; names with"
            " others are written in their xn-- form."
        )
    parts, port = _split(url)
    host = (parts.hostname or "").rstrip(".")
    if not settings.WEBHOOK_ALLOW_PRIVATE:
        _check_public(parts.scheme, host, port)
    path = parts.path or "/"
    return Target(
        scheme=parts.scheme,
        host=host,
        port=port,
        path=f"{path}?{parts.query}" if parts.query else path,
    )


def resolve(target: Target) -> str:
    """Look a host up, once; give one address after all were found to be public.

    Raises
    ------
    WebhookAddressError
        The name stands for an address that messages are not sent to.
    OSError
        The name cannot be looked up.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    if not settings.WEBHOOK_ALLOW_PRIVATE:
        for address in addresses:
            if not is_public(ip_address(address.partition("%")[0])):
                raise _refusal(f"{target.host} stands for an address that is private.")
    return addresses[0]


def is_public(address: Address) -> bool:
    """Return whether an address is one of the open internet, and of a single host."""
    if any(address in network for network in (*SPECIAL, *CARRIERS)):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refusal(f"This is not a URL: {error}.") from None
    allowed = {"https", "http"} if settings.WEBHOOK_ALLOW_PRIVATE else {"https"}
    if parts.scheme not in allowed or not parts.hostname:
        raise _refusal("Messages are sent to https addresses only.")
    if "@" in parts.netloc:
        raise _refusal("A URL with a user name or password is not taken.")
    return parts, DEFAULT_PORTS[parts.scheme] if port is None else port


def _check_public(scheme: str, host: str, port: int) -> None:
    if port not in PORTS:
        named = " and ".join(str(known) for known in sorted(PORTS))
        raise _refusal(f"Messages are sent to the ports {named} only.")
    literal = _literal(host)
    if literal is not None:
        if not is_public(literal):
            raise _refusal("Messages are sent to public addresses only.")
    elif HOST_NAME.fullmatch(host) is None or f".{host}".endswith(PRIVATE_ENDINGS):
        raise _refusal("Messages are sent to public host names only.")


def _literal(host: str) -> Address | None:
    """Read an address in any form that the C library reads: 127.1, 0x7f000001."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _refusal(reason: str) -> WebhookAddressError:
    return WebhookAddressError(reason, field="url")


def post(url: str, body: bytes, *, headers: Mapping[str, str]) -> int:
    """Send a body and give the status of the answer, whose body is never read.

    Raises
    ------
    WebhookAddressError
        The address is none that messages are sent to.
    OSError, http.client.HTTPException
        The receiver cannot be reached, is too slow, or does not speak HTTP.
    """
    target = check_url(url)
    kind = _PinnedTlsConnection if target.scheme == "https" else _PinnedConnection
    connection = kind(target, resolve(target))
    timer = threading.Timer(settings.WEBHOOK_TIMEOUT_S, connection.cut_off)
    timer.start()
    try:
        connection.request("POST", target.path, body=body, headers=dict(headers))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        if connection.is_cut_off:
            raise TimeoutError(TOO_SLOW) from error
        raise
    finally:
        timer.cancel()
        connection.close()
    if connection.is_cut_off:
        # What was read until then passes for an answer that ended early.
        raise TimeoutError(TOO_SLOW)
    return status


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


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
