"""Everybody who may send a request: with a key, signed in, or neither."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from riskplatform.api.keys.models import ApiKey, Membership, Scope
from riskplatform.api.keys.secrets import KeyText
from riskplatform.api.keys.services import revoke_keys
from tests.support.factories import make_organisation

ALL = frozenset(Scope.values)
READER = frozenset({"scores:read", "portfolios:read"})
PERMISSIONS = frozenset(
    {"scoring.view_region", "analytics.view_event", "scoring.change_modelversion"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """What a principal is said to be able to do, and the client that acts for it.

    `organisation` is the slug it acts for; `is_refused` that its key is no good.
    """

    connect: Callable[[], Client]
    organisation: str = ""
    scopes: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    is_signed_in: bool = False
    is_refused: bool = False

    @property
    def is_known(self) -> bool:
        """Tell whether the platform knows who it is, whatever it may do."""
        return bool(self.organisation) or self.is_signed_in


def key(
    scopes: frozenset[str], organisation: str = "acme", **columns: object
) -> Client:
    """Show a key; the service issues none without a scope, an operator might."""
    text = KeyText.make()
    ApiKey.objects.create(
        organisation=make_organisation(organisation),
        name="k",
        prefix=text.prefix,
        digest=text.digest(),
        scopes=sorted(scopes),
        **columns,
    )
    return Client(headers={"Authorization": f"Bearer {text.text}"})


def revoked() -> Client:
    client = key(ALL)
    revoke_keys([ApiKey.objects.latest("pk")])
    return client


def expired() -> Client:
    return key(ALL, expires_at=timezone.now() - timedelta(days=1))


def person(
    memberships: dict[str, str] | None = None,
    *,
    named: str | None = None,
    permissions: frozenset[str] = frozenset(),
    **flags: Any,
) -> Client:
    """Sign somebody in; `named` is the organisation their browser names."""
    user = User.objects.create_user(f"person-{User.objects.count()}", **flags)
    for slug, role in (memberships or {}).items():
        Membership.objects.create(
            user=user, organisation=make_organisation(slug), role=role
        )
    for name in permissions:
        app_label, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(codename=codename, content_type__app_label=app_label)
        )
    client = Client(headers={} if named is None else {"X-Organisation": named})
    client.force_login(user)
    return client


def deactivated() -> Client:
    client = person({"acme": "editor"}, is_staff=True, permissions=PERMISSIONS)
    User.objects.filter(pk=User.objects.latest("pk").pk).update(is_active=False)
    return client


BOTH = {"acme": "editor", "other": "viewer"}
PRINCIPALS: dict[str, Principal] = {
    "nobody": Principal(connect=Client),
    "garbage for a key": Principal(
        connect=lambda: Client(headers={"X-API-Key": "rp_x_y"}), is_refused=True
    ),
    "revoked key": Principal(connect=revoked, is_refused=True),
    "expired key": Principal(connect=expired, is_refused=True),
    "key with every scope": Principal(
        connect=lambda: key(ALL), organisation="acme", scopes=ALL
    ),
    "key without scopes": Principal(
        connect=lambda: key(frozenset()), organisation="acme"
    ),
    **{
        f"key with {scope}": Principal(
            connect=partial(key, frozenset({scope})),
            organisation="acme",
            scopes=frozenset({scope}),
        )
        for scope in Scope.values
    },
    "key of another organisation": Principal(
        connect=lambda: key(ALL, "other"), organisation="other", scopes=ALL
    ),
    "viewer": Principal(
        connect=lambda: person({"acme": "viewer"}),
        organisation="acme",
        scopes=READER,
        is_signed_in=True,
    ),
    "editor": Principal(
        connect=lambda: person({"acme": "editor"}),
        organisation="acme",
        scopes=ALL,
        is_signed_in=True,
    ),
    "member of two who names one": Principal(
        connect=lambda: person(BOTH, named="other"),
        organisation="other",
        scopes=READER,
        is_signed_in=True,
    ),
    "member of two who names none": Principal(
        connect=lambda: person(BOTH), is_signed_in=True
    ),
    "member who names another": Principal(
        connect=lambda: person({"acme": "editor"}, named="other"), is_signed_in=True
    ),
    "signed in without membership": Principal(connect=person, is_signed_in=True),
    "permissions without being staff": Principal(
        connect=lambda: person(permissions=PERMISSIONS), is_signed_in=True
    ),
    "staff without permission": Principal(
        connect=lambda: person(is_staff=True), is_signed_in=True
    ),
    **{
        f"staff with {name}": Principal(
            connect=partial(person, is_staff=True, permissions=frozenset({name})),
            permissions=frozenset({name}),
            is_signed_in=True,
        )
        for name in sorted(PERMISSIONS)
    },
    "viewer who is staff with permission": Principal(
        connect=lambda: person(
            {"acme": "viewer"}, is_staff=True, permissions=PERMISSIONS
        ),
        organisation="acme",
        scopes=READER,
        permissions=PERMISSIONS,
        is_signed_in=True,
    ),
    "superuser": Principal(
        connect=lambda: person(is_staff=True, is_superuser=True),
        permissions=PERMISSIONS,
        is_signed_in=True,
    ),
    "somebody who left": Principal(connect=deactivated),
}
