"""Lets sockets in: by a ticket, a key, a session, or as anybody.

All is checked before the handshake is accepted. A session counts only where the page
that opened the socket is ours: browsers send cookies along from any page, and sockets
know no same-origin policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.http.cookie import parse_cookie
from django.http.request import validate_host
from rest_framework.exceptions import AuthenticationFailed

from perf.realtime.closing import (
    BAD_REQUEST,
    COME_AGAIN,
    UNKNOWN,
    SocketClosedError,
)
from perf.realtime.history import Position
from perf.realtime.tickets import redeem_ticket
from perf.shared_store import StoreUnavailableError
from riskplatform.api.keys.authentication import shown_key
from riskplatform.api.keys.holders import (
    ANYBODY,
    Holder,
    Identity,
    holder_of_key,
    holder_of_session,
    identify,
)

MAX_QUERY_BYTES: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who opened a socket, what they may do, and what the address says."""

    holder: Holder
    identity: Identity
    address: str
    query: Mapping[str, str]
    after: Position | None


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    pairs = scope.get("headers", ())
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Return whether a page of another site opened the socket."""
    origin = headers.get("origin")
    if origin is None:
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return False
    host = urlsplit(origin).hostname
    if host is None:
        return True
    named = f"[{host}]" if ":" in host else host
    return not validate_host(named, settings.ALLOWED_HOSTS)


def enter(
    scope: Mapping[str, Any], *, address: str, last_event_id: str = ""
) -> Visitor:
    """Find out who is there, in a thread; some queries, and one look into Redis.

    Raises
    ------
    SocketClosedError
        4401 for a ticket, key or session that opens nothing; 4400 for an address that
        cannot be read; 1012 without Redis or while the ticket cannot be checked.
    """
    headers, query = headers_of(scope), _query_of(scope)
    place = query.get("after") or last_event_id
    after = Position.parse(place) if place else None
    if place and after is None:
        raise SocketClosedError(BAD_REQUEST, "after is epoch:offset of a message")
    is_page = scope["type"] != "websocket" or "origin" in headers
    holder = _holder(headers, query, is_page=is_page)
    identity = identify([holder]).get(holder)
    if identity is None:
        raise SocketClosedError(UNKNOWN, "the organisation is not clear, name it")
    return Visitor(
        holder=holder, identity=identity, address=address, query=query, after=after
    )


def _holder(
    headers: Mapping[str, str], query: Mapping[str, str], *, is_page: bool
) -> Holder:
    if "ticket" in query:
        try:
            holder = redeem_ticket(query["ticket"])
        except StoreUnavailableError as error:
            raise SocketClosedError(COME_AGAIN, "tickets cannot be read") from error
        if holder is None:
            reason = "the ticket is unknown, used or over"
            raise SocketClosedError(UNKNOWN, reason)
        return holder
    shown = shown_key(headers.get("authorization", ""), headers.get("x-api-key"))
    if shown is not None:
        try:
            return holder_of_key(shown)
        except AuthenticationFailed as error:
            raise SocketClosedError(UNKNOWN, str(error.detail)) from error
    cookies = parse_cookie(headers.get("cookie", ""))
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    if session and is_page:
        return holder_of_session(session, query.get("organisation")) or ANYBODY
    return ANYBODY


def _query_of(scope: Mapping[str, Any]) -> dict[str, str]:
    raw: bytes = scope.get("query_string", b"")
    if len(raw) > MAX_QUERY_BYTES:
        raise SocketClosedError(BAD_REQUEST, "the query is too long")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, max_num_fields=20
        )
    except ValueError as error:
        raise SocketClosedError(BAD_REQUEST, "the query cannot be read") from error
    return dict(pairs)
