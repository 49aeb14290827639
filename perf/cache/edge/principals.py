"""Who asks, found out before anything kept is looked at.

What a key stands for is remembered for a minute at most, and forgotten at once when
somebody announces `key:<prefix>`. What a session stands for is asked every time.
"""

import io
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from importlib import import_module
from threading import Lock
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    load_backend,
)
from django.contrib.auth.models import AnonymousUser, User
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework.exceptions import AuthenticationFailed

from perf.cache.edge.remembered import renew_connection
from perf.cache.tags import Tags
from perf.deadlines import deadline
from riskplatform.api.keys.access import NO_ACCESS, Access, access_of, find_access
from riskplatform.api.keys.authentication import find_key, shown_key
from riskplatform.api.keys.models import ApiKey
from riskplatform.api.keys.principal import principal_of_key
from riskplatform.api.keys.services import note_use

# The use of a key is noted once a minute, so it is looked up that often.
REMEMBERED_S = 60.0
MAX_REMEMBERED = 10_000
# A database that takes longer hangs; then the request goes on to Django.
WITHIN_S = 2.0

Environ = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What somebody may do who sends a request, and the key that was shown."""

    access: Access = NO_ACCESS
    key: ApiKey | None = field(default=None, compare=False, repr=False)
    text: str = field(init=False)

    def __post_init__(self) -> None:
        access = self.access
        scopes, permissions = map(sorted, (access.scopes, access.permissions))
        parts = (str(access.organisation_id), " ".join(scopes), " ".join(permissions))
        object.__setattr__(self, "text", "|".join(parts))

    def has_scope(self, scope: str) -> bool:
        return scope in self.access.scopes


NOBODY = Caller()


@dataclass(frozen=True, slots=True)
class _Remembered:
    caller: Caller
    prefix: str
    expires_at_s: float
    forget_s: float


class Callers:
    """Tells who asks; None is somebody whom Django has to turn away."""

    def __init__(self, tags: Tags) -> None:
        self._tags = tags
        self._keys: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._lock = Lock()
        tags.attach(self)

    def find(self, environ: Environ) -> Caller | None:
        """Resolve a key or a session; with neither it is nobody in particular."""
        # The deadline of the request begins further in.
        with deadline(WITHIN_S):
            return self._find(environ)

    def _find(self, environ: Environ) -> Caller | None:
        text = shown_key(
            environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_X_API_KEY")
        )
        if text is not None:
            return self._of_key(text)
        if has_session(environ):
            return _of_session(environ)
        return NOBODY

    def find_at_hand(self, environ: Environ) -> Caller | None:
        """Resolve whoever can be without asking a database; None is anybody else."""
        text = shown_key(
            environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_X_API_KEY")
        )
        if text is None:
            return None if has_session(environ) else NOBODY
        known = self._keys.get(_digest_of(text))
        if known is None or known.forget_s <= time.monotonic():
            return None
        return known.caller if known.expires_at_s > time.time() else None

    def drop(self, names: frozenset[str]) -> None:
        prefixes = {name[4:] for name in names if name.startswith("key:")}
        if prefixes:
            with self._lock:
                for digest, known in list(self._keys.items()):
                    if known.prefix in prefixes:
                        del self._keys[digest]

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()

    def _of_key(self, text: str) -> Caller | None:
        # Of the key itself nothing stays in memory.
        digest = _digest_of(text)
        known = self._keys.get(digest)
        if known is not None and known.forget_s > time.monotonic():
            return known.caller if known.expires_at_s > time.time() else None
        with self._tags.watch() as watch:
            key = _ask_for_key(text)
            if key is None:
                return None
            access = access_of(principal_of_key(key), AnonymousUser())
            caller = Caller(access=access, key=key)
            remember = partial(self._remember, digest, key, caller)
            self._tags.keep(watch, {f"key:{key.prefix}"}, remember)
        return caller

    def _remember(self, digest: bytes, key: ApiKey, caller: Caller) -> None:
        expires_at = key.expires_at
        known = _Remembered(
            caller=caller,
            prefix=key.prefix,
            expires_at_s=float("inf") if expires_at is None else expires_at.timestamp(),
            forget_s=time.monotonic() + REMEMBERED_S,
        )
        with self._lock:
            self._keys[digest] = known
            if len(self._keys) > MAX_REMEMBERED:
                self._keys.popitem(last=False)


def _digest_of(text: str) -> bytes:
    return sha256(text.encode("latin-1", "replace")).digest()


def has_session(environ: Environ) -> bool:
    cookies: str = environ.get("HTTP_COOKIE", "")
    return bool(cookies) and settings.SESSION_COOKIE_NAME in cookies


def _ask_for_key(text: str) -> ApiKey | None:
    renew_connection()
    try:
        key = find_key(text)
        note_use(key, now=timezone.now())
    except (AuthenticationFailed, DatabaseError, InterfaceError):
        return None
    return key


def _of_session(environ: Environ) -> Caller | None:
    """Ask as Django would: the session, its user, the membership meant."""
    renew_connection()
    request = WSGIRequest({**environ, "wsgi.input": io.BytesIO()})
    try:
        user = _user_of(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        if user is None:
            return None
        request.user = user
        return Caller(access=find_access(request))
    except (DatabaseError, InterfaceError):
        return None


def _user_of(cookie: str | None) -> User | AnonymousUser | None:
    """Read who is signed in, and change nothing; None is for Django to decide.

    Django renews a session that was signed with a former key, which only an answer
    that sets cookies can do.
    """
    session = import_module(settings.SESSION_ENGINE).SessionStore(cookie)
    if SESSION_KEY not in session:
        return AnonymousUser()
    backend = session.get(BACKEND_SESSION_KEY)
    if backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    user: User | None = load_backend(backend).get_user(session[SESSION_KEY])
    signed = session.get(HASH_SESSION_KEY, "")
    if user is None or not constant_time_compare(signed, user.get_session_auth_hash()):
        return None
    return user
