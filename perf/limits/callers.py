"""Who sends a request, before its key is checked: a digest, or an address."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

SCHEME = "bearer "
DIGEST_BYTES = 12
# Begins the names of those who show neither key nor session.
BY_ADDRESS = "address:"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerNames:
    """Names callers; keys and sessions are only held as digests."""

    session_cookie: str
    trusted_proxies: int

    def name(self, environ: "WSGIEnvironment") -> str:
        """Name the caller by its key, else its session, else its address."""
        shown = _shown_key(environ)
        if shown:
            return "key:" + _digest(shown)
        session = _cookie(environ.get("HTTP_COOKIE", ""), self.session_cookie)
        if session:
            return "session:" + _digest(session)
        return BY_ADDRESS + self.address(environ)

    def address(self, environ: "WSGIEnvironment") -> str:
        """Give the client's address, as the outermost of our own proxies saw it.

        Each proxy appends the address of its client; what stands before was sent by
        the client and may be anything.
        """
        count = self.trusted_proxies
        if count:
            chain = str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")
            if len(chain) >= count and (seen := chain[-count].strip()):
                return seen
        return str(environ.get("REMOTE_ADDR", ""))


def configured_callers() -> CallerNames:
    return CallerNames(
        session_cookie=settings.SESSION_COOKIE_NAME,
        trusted_proxies=settings.TRUSTED_PROXIES,
    )


def _shown_key(environ: "WSGIEnvironment") -> str:
    # As riskplatform.api.keys.authentication reads it: whatever that lets in counts.
    authorization: str = environ.get("HTTP_AUTHORIZATION", "")
    if authorization[: len(SCHEME)].lower() == SCHEME:
        return authorization[len(SCHEME) :].strip()
    return str(environ.get("HTTP_X_API_KEY", ""))


def _cookie(header: str, name: str) -> str:
    for part in header.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name:
            return value.strip()
    return ""


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()
