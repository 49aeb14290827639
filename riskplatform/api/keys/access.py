"""Who may see and change what: every view, page, cache, job and socket checks here.

A region has an owner, an organisation or the installation, and is public or private.
Keys and members act for one organisation, by scopes; staff acts for the installation,
by permissions of Django, which are about all regions as they are in the admin.
"""

from dataclasses import dataclass, replace
from typing import Final, Protocol

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import OuterRef, Q
from django.http import HttpRequest
from rest_framework.request import Request

from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.principal import Principal, find_principal

ATTRIBUTE = "_access"


@dataclass(frozen=True, slots=True)
class Right:
    """A scope gives it over what one's organisation owns, a permission over all."""

    scope: str
    permission: str


READ_REGIONS: Final = Right(Scope.SCORES_READ.value, "scoring.view_region")
READ_EVENTS: Final = Right(Scope.SCORES_READ.value, "analytics.view_event")
CHANGE_MODELS: Final = Right(Scope.MODELS_WRITE.value, "scoring.change_modelversion")
PERMISSIONS: Final = frozenset(
    right.permission for right in (READ_REGIONS, READ_EVENTS, CHANGE_MODELS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a principal may do: plain values, equal for those who may do the same."""

    organisation_id: int | None = None
    organisation: str = ""
    scopes: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()

    def has(self, right: Right) -> bool:
        """Return whether it has a right over anything at all."""
        return right.permission in self.permissions or right.scope in self.scopes

    def as_member(self) -> "Access":
        """Give the part that the organisation lends, without permissions of staff."""
        return replace(self, permissions=frozenset())


NO_ACCESS: Final = Access()
# Commands and jobs of the installation.
FULL_ACCESS: Final = Access(permissions=PERMISSIONS)


class OwnedRegion(Protocol):
    """A region, as far as access to it goes; `owner_id` None is the installation."""

    @property
    def owner_id(self) -> int | None: ...

    @property
    def is_public(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    owner_id: int | None
    is_public: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOwners:
    """Whose events are seen: everybody's, or those of one organisation and of none."""

    is_everybody: bool = False
    organisation: str = ""


EVERYBODY: Final = EventOwners(is_everybody=True)


def may_see_region(access: Access, region: OwnedRegion) -> bool:
    """Return whether a region and what is forecast for it may be seen."""
    return region.is_public or _reaches(access, READ_REGIONS, region)


def may_change_models(access: Access, region: OwnedRegion) -> bool:
    """Return whether models of a region may be fitted, promoted and put in service."""
    return _reaches(access, CHANGE_MODELS, region)


def how_seen(access: Access) -> str:
    """Say after "there is no region" what a key or a member lacks, the same for all."""
    if access.organisation_id is None or access.has(READ_REGIONS):
        return ""
    return (
        " One that is private is seen with the scope"
        f" {READ_REGIONS.scope}, which this key or membership does not have."
    )


def regions_seen(access: Access, *, at: str = "") -> Q:
    """Give the condition that `may_see_region` checks; `at` leads to the region."""
    return Q(**{f"{at}is_public": True}) | _regions_reached(access, READ_REGIONS, at)


def models_changed(access: Access, *, at: str = "") -> Q:
    """Give the condition that `may_change_models` checks."""
    return _regions_reached(access, CHANGE_MODELS, at)


def regions_seen_by(organisation: OuterRef) -> Q:
    """Give the condition on regions that any member of an organisation sees."""
    return Q(is_public=True) | Q(owner=organisation)


def events_seen(access: Access) -> EventOwners:
    """Say whose events are seen, in a region that may be seen."""
    if READ_EVENTS.permission in access.permissions:
        return EVERYBODY
    return EventOwners(organisation=access.organisation)


def access_of(principal: Principal | None, user: User | AnonymousUser) -> Access:
    """Say what a principal may do, and the user behind it where that is staff.

    Permissions cost two queries for staff, none for anybody else.
    """
    permissions = _permissions_of(user)
    if principal is None:
        return Access(permissions=permissions)
    return Access(
        organisation_id=principal.organisation.pk,
        organisation=principal.organisation.slug,
        scopes=principal.scopes,
        permissions=permissions,
    )


def access_of_organisation(organisation_id: int) -> Access:
    """Give the regions that an organisation sees: for alerts, assessments."""
    scopes = frozenset({READ_REGIONS.scope})
    return Access(organisation_id=organisation_id, scopes=scopes)


def find_access(request: Request | HttpRequest) -> Access:
    """Give what the principal of a request may do; computed once a request."""
    found: Access | None = vars(request).get(ATTRIBUTE)
    if found is None:
        found = access_of(find_principal(request), request.user)
        setattr(request, ATTRIBUTE, found)
    return found


def _permissions_of(user: User | AnonymousUser) -> frozenset[str]:
    if not user.is_active or not (user.is_staff or user.is_superuser):
        return frozenset()
    return frozenset(name for name in PERMISSIONS if user.has_perm(name))


def _reaches(access: Access, right: Right, region: OwnedRegion) -> bool:
    if right.permission in access.permissions:
        return True
    owner_id = region.owner_id
    is_own = owner_id is not None and owner_id == access.organisation_id
    return is_own and right.scope in access.scopes


def _regions_reached(access: Access, right: Right, at: str) -> Q:
    none = Q(**{f"{at}pk__in": ()})
    if right.permission in access.permissions:
        # An empty Q would vanish beside another one.
        return ~none
    if access.organisation_id is None or right.scope not in access.scopes:
        return none
    return Q(**{f"{at}owner": access.organisation_id})
