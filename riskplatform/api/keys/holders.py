"""Who holds a connection that outlives a request, and whether they still may.

A request is checked once, when it comes. A socket stays open for hours, so what is
kept of its owner are identifiers, and what they may do is read again and again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.utils import timezone
from msgspec import Struct
from rest_framework.request import Request

from riskplatform.api.keys.access import NO_ACCESS, Access, access_of
from riskplatform.api.keys.authentication import find_key
from riskplatform.api.keys.models import ApiKey
from riskplatform.api.keys.principal import (
    ORGANISATION_HEADER,
    Principal,
    principal_of_key,
    principal_of_user,
)


class Holder(Struct, frozen=True):
    """A key, a person, a session of a person, or nobody in particular."""

    key_id: int | None = None
    user_id: int | None = None
    organisation: str | None = None
    session: str = ""

    def __repr__(self) -> str:
        # A session opens the site to whoever knows it.
        return f"Holder(key_id={self.key_id}, user_id={self.user_id})"

    @property
    def name(self) -> str:
        """Name whose connections are counted together; empty for nobody."""
        if self.key_id is not None:
            return f"key {self.key_id}"
        return "" if self.user_id is None else f"user {self.user_id}"


ANYBODY: Final = Holder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a holder may do now; `principal` is None where no organisation is meant."""

    principal: Principal | None = None
    access: Access = NO_ACCESS


def holder_of_request(request: Request) -> Holder:
    """Keep who sends a request that authentication has let in."""
    if isinstance(request.auth, ApiKey):
        return Holder(key_id=request.auth.pk)
    organisation = request.headers.get(ORGANISATION_HEADER)
    return Holder(user_id=request.user.pk, organisation=organisation)


def holder_of_key(shown: str) -> Holder:
    """Find the holder of a key; raises AuthenticationFailed where it opens nothing."""
    return Holder(key_id=find_key(shown).pk)


def holder_of_session(session: str, organisation: str | None) -> Holder | None:
    """Find the person that is signed in by a session, or None."""
    user = _user_of_session(session)
    if isinstance(user, AnonymousUser):
        return None
    return Holder(user_id=user.pk, organisation=organisation, session=session)


def identify(holders: Iterable[Holder]) -> dict[Holder, Identity]:
    """Say what each may do at this moment; who may nothing any more is left out.

    Keys cost one query together, each person some.
    """
    wanted = frozenset(holders)
    ids = {holder.key_id for holder in wanted if holder.key_id is not None}
    found = ApiKey.objects.select_related("organisation").filter(pk__in=ids)
    keys = {key.pk: key for key in found} if ids else {}
    read = {holder: _identity(holder, keys) for holder in wanted}
    return {holder: who for holder, who in read.items() if who is not None}


def _identity(holder: Holder, keys: dict[int, ApiKey]) -> Identity | None:
    if holder.key_id is not None:
        return _identity_of_key(keys.get(holder.key_id))
    if holder.user_id is None:
        return Identity()
    user = _person(holder)
    principal = None if user is None else principal_of_user(user, holder.organisation)
    if user is None or (principal is None and not user.is_staff):
        return None
    return _identity_of(principal, user)


def _identity_of_key(key: ApiKey | None) -> Identity | None:
    if key is None or not key.is_usable_at(timezone.now()):
        return None
    return _identity_of(principal_of_key(key), AnonymousUser())


def _identity_of(principal: Principal | None, user: User | AnonymousUser) -> Identity:
    return Identity(principal=principal, access=access_of(principal, user))


def _person(holder: Holder) -> User | None:
    if holder.session:
        user = _user_of_session(holder.session)
        return user if isinstance(user, User) and user.is_active else None
    return User.objects.filter(pk=holder.user_id or 0, is_active=True).first()


def _user_of_session(session: str) -> User | AnonymousUser:
    request = HttpRequest()
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(session)
    user = get_user(request)
    return user if isinstance(user, User) else AnonymousUser()
