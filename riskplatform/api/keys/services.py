"""Writes of keys: issue, revoke, and note a use. Each is one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from riskplatform.api.keys.models import ApiKey, Organisation, Scope
from riskplatform.api.keys.secrets import KeyText
from riskplatform.kernel.changes import publish_changes
from riskplatform.kernel.errors import InvalidInputError

LAST_USE_SAMPLING = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key; `text` is the one chance to see it."""

    key: ApiKey
    text: KeyText


def get_organisation(slug: str) -> Organisation:
    """Find an organisation by its slug.

    Raises
    ------
    InvalidInputError
        There is none; says how to make it.
    """
    found = Organisation.objects.filter(slug=slug).first()
    if found is None:
        raise InvalidInputError(
            f"There is no organisation {slug!r}. Staff adds it at /admin/, or"
            " `manage.py create_api_key --create` with its first key.",
            organisation=slug,
        )
    return found


def issue_key(
    organisation: Organisation,
    *,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
) -> IssuedKey:
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        raise InvalidInputError(
            f"{', '.join(unknown) or 'No scope'} is not a scope."
            f" Use some of: {', '.join(Scope.values)}.",
            unknown=unknown,
        )
    text = KeyText.make()
    key = ApiKey.objects.create(
        organisation=organisation,
        name=name,
        prefix=text.prefix,
        digest=text.digest(),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    return IssuedKey(key=key, text=text)


def revoke_keys(keys: Sequence[ApiKey]) -> int:
    """Revoke at once and for good; repeating it keeps the first time."""
    wanted = ApiKey.objects.filter(pk__in=[key.pk for key in keys], revoked_at=None)
    count = wanted.update(revoked_at=timezone.now())
    publish_changes(*(f"key:{key.prefix}" for key in keys))
    return count


def note_use(key: ApiKey, *, now: datetime) -> None:
    """Write when a key was used, once a minute at most."""
    before = now - LAST_USE_SAMPLING
    if key.last_used_at is not None and key.last_used_at > before:
        return
    is_due = Q(last_used_at=None) | Q(last_used_at__lte=before)
    ApiKey.objects.filter(is_due, pk=key.pk).update(last_used_at=now)
