"""Tickets: what opens one socket, once and soon, for who cannot show a key there.

A browser cannot set headers on a socket, and an address with a key in it ends up in
logs. Redis holds a digest of each ticket, so who reads it there cannot use it.
"""

import hashlib
import secrets
from typing import Final

import msgspec
from redis import Redis

from perf.shared_store import PREFIX, store
from riskplatform.api.keys.holders import Holder

LIFETIME_S: Final = 30
TICKET_BYTES: Final = 24
MAX_CHARS: Final = 64


def issue_ticket(holder: Holder) -> str:
    """Make a ticket for a holder; raises StoreUnavailableError without Redis."""
    ticket = secrets.token_urlsafe(TICKET_BYTES)
    body = msgspec.json.encode(holder)

    def put(redis: Redis) -> object:
        return redis.set(_key(ticket), body, ex=LIFETIME_S)

    store.run(put)
    return ticket


def redeem_ticket(ticket: str) -> Holder | None:
    """Take a ticket away and give its holder; None for one that opens nothing."""
    if not ticket or len(ticket) > MAX_CHARS:
        return None

    def take(redis: Redis) -> object:
        return redis.getdel(_key(ticket))

    body = store.run(take)
    if not isinstance(body, bytes):
        return None
    return msgspec.json.decode(body, type=Holder)


def _key(ticket: str) -> str:
    return f"{PREFIX}ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"
