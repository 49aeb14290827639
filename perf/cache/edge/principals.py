"""Who sends a request, found out before any cached response is looked for.

What a key stands for is remembered for a minute at most, and forgotten at once when
`key:<prefix>` is published. What a session stands for is read every time.
"""

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from importlib import import_module
from typing import Any, Final, NoReturn

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from perf.cache.memory import ByteCache, LocalCopies
from perf.cache.remembered import reading
from riskplatform.api.keys.access import NO_ACCESS, Access, access_of, find_access
from riskplatform.api.keys.authentication import find_key, shown_key
from riskplatform.api.keys.models import ApiKey
from riskplatform.api.keys.principal import principal_of_key
from riskplatform.api.keys.services import note_use

# The use of a key is noted once a minute, so it is looked up that often.
REMEMBERED_S: Final = 60.0
# With the organisation and what else belongs to it, roughly.
KEY_BYTES: Final = 1_000
MAX_KEYS: Final = 10_000

Environ = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePrincipal:
    """What the sender of a request may do, the key that was shown, and a cache key."""

    access: Access = NO_ACCESS
    key: ApiKey | None = field(default=None, compare=False, repr=False)
    cache_key: str = field(init=False)

    def __post_init__(self) -> None:
        access = self.access
        scopes, permissions = map(sorted, (access.scopes, access.permissions))
        parts = (str(access.organisation_id), " ".join(scopes), " ".join(permissions))
        object.__setattr__(self, "cache_key", "|".join(parts))

    def has_scope(self, scope: str) -> bool:
        return scope in self.access.scopes


NOBODY: Final = EdgePrincipal()


@dataclass(frozen=True, slots=True)
class _KnownKey:
    principal: EdgePrincipal
    expires_at_s: float
    forget_s: float
    nbytes: int = KEY_BYTES


class _LeftToDjangoError(Exception):
    """A session has to be changed, which only a response that sets cookies can do."""


class Principals:
    """Finds the principal of a request; None is one that Django has to refuse."""

    def __init__(self, copies: LocalCopies) -> None:
        self._copies = copies
        self._keys: ByteCache[_KnownKey] = ByteCache(
            "api_keys", max_bytes=MAX_KEYS * KEY_BYTES
        )
        copies.attach(self._keys)

    def find(self, environ: Environ) -> EdgePrincipal | None:
        """Resolve a key or a session; with neither it is NOBODY.

        Raises
        ------
        NotAtHandError
            That takes a query, and `AT_HAND_ONLY` forbids it.
        """
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        text = shown_key(authorization, environ.get("HTTP_X_API_KEY"))
        if text is None:
            return _of_session(environ) if has_session(environ) else NOBODY
        # Of the key itself nothing stays in memory.
        digest = sha256(text.encode("latin-1", "replace")).digest()
        known = self._keys.get(digest)
        if known is None or known.forget_s <= time.monotonic():
            known = self._read(text, digest)
        if known is None or known.expires_at_s <= time.time():
            return None
        return known.principal

    def _read(self, text: str, digest: bytes) -> _KnownKey | None:
        generation = self._copies.generation
        try:
            with reading():
                key = find_key(text)
                note_use(key, now=timezone.now())
        except (AuthenticationFailed, DatabaseError, InterfaceError):
            return None
        access = access_of(principal_of_key(key), AnonymousUser())
        ends = key.expires_at
        known = _KnownKey(
            principal=EdgePrincipal(access=access, key=key),
            expires_at_s=float("inf") if ends is None else ends.timestamp(),
            forget_s=time.monotonic() + REMEMBERED_S,
        )
        put = partial(self._keys.put, digest, known, {f"key:{key.prefix}"})
        self._copies.keep(generation, put)
        return known


def has_session(environ: Environ) -> bool:
    cookies: str = environ.get("HTTP_COOKIE", "")
    return bool(cookies) and settings.SESSION_COOKIE_NAME in cookies


def _of_session(environ: Environ) -> EdgePrincipal | None:
    """Read the session by Django, its user and the membership meant; change nothing."""
    try:
        with reading():
            request = WSGIRequest({**environ, "wsgi.input": io.BytesIO()})
            cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
            session = import_module(settings.SESSION_ENGINE).SessionStore(cookie)
            # What `get_user` does to a session signed with a former or another key.
            session.cycle_key = session.flush = _leave_to_django
            request.session = session
            request.user = get_user(request)
            return EdgePrincipal(access=find_access(request))
    except (_LeftToDjangoError, DatabaseError, InterfaceError):
        return None


def _leave_to_django() -> NoReturn:
    raise _LeftToDjangoError
