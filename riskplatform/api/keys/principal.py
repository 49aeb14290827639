"""For which organisation a request acts, and what it may do."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from riskplatform.api.keys.models import ApiKey, Membership, Organisation

ORGANISATION_HEADER = "X-Organisation"
ATTRIBUTE = "_principal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who sends a request, for one organisation: a key, or a person signed in."""

    organisation: Organisation
    scopes: frozenset[str]
    name: str

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes


def get_principal(request: Request) -> Principal:
    """Return the principal of a request that `has_scope` let in."""
    principal = find_principal(request)
    if principal is None:
        raise NotAuthenticated
    return principal


def find_principal(request: Request | HttpRequest) -> Principal | None:
    """Return the principal, or None; a session costs one query, once a request."""
    known = vars(request)
    if ATTRIBUTE not in known:
        setattr(request, ATTRIBUTE, _read_principal(request))
    found: Principal | None = known[ATTRIBUTE]
    return found


def actor_of(request: Request) -> str:
    """Name who acts, also where it is staff that acts for no organisation."""
    principal = find_principal(request)
    return request.user.get_username() if principal is None else principal.name


def principal_of_user(
    user: User | AnonymousUser, organisation: str | None
) -> Principal | None:
    """Take the organisation named; a member of only one need not name it."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return None
    memberships = Membership.objects.filter(user=user).select_related("organisation")
    if organisation is not None:
        memberships = memberships.filter(organisation__slug=organisation)
    found = list(memberships[:2])
    if len(found) != 1:
        return None
    return Principal(
        organisation=found[0].organisation,
        scopes=found[0].scopes,
        name=user.get_username(),
    )


def principal_of_key(key: ApiKey) -> Principal:
    return Principal(
        organisation=key.organisation, scopes=frozenset(key.scopes), name=str(key)
    )


def _read_principal(request: Request | HttpRequest) -> Principal | None:
    key = getattr(request, "auth", None)
    if isinstance(key, ApiKey):
        return principal_of_key(key)
    return principal_of_user(request.user, request.headers.get(ORGANISATION_HEADER))
