"""Lets requests in that show a key."""

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from riskplatform.api.keys.models import ApiKey
from riskplatform.api.keys.secrets import KeyText
from riskplatform.api.keys.services import note_use

SCHEME = "Bearer"
# What a request with an unknown prefix is compared to, so that it takes as long.
NO_DIGEST = "0" * 64
# Where middleware before Django leaves the key that it has found; a client cannot
# write there, because what a request brings begins with HTTP_.
FOUND_KEY = "riskplatform.api_key"


class ApiKeyAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <key>` or `X-API-Key: <key>`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        found = request.META.get(FOUND_KEY)
        if isinstance(found, ApiKey):
            return AnonymousUser(), found
        meta = request.META
        shown = shown_key(
            meta.get("HTTP_AUTHORIZATION", ""), meta.get("HTTP_X_API_KEY")
        )
        if shown is None:
            return None
        key = find_key(shown)
        note_use(key, now=timezone.now())
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="api"'


def get_key(request: Request) -> ApiKey:
    """Return the key behind a request that `has_scope` let in."""
    if not isinstance(request.auth, ApiKey):
        raise AuthenticationFailed("This needs an API key.")
    return request.auth


def shown_key(authorization: str, api_key: str | None) -> str | None:
    """Take the key out of the two headers that may hold one."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == SCHEME.lower():
        return credentials.strip()
    return api_key


def find_key(shown: str) -> ApiKey:
    """Find the key behind a text; it costs one query.

    Raises
    ------
    AuthenticationFailed
        It is unknown, has expired or was revoked.
    """
    text = KeyText.parse(shown)
    if text is None:
        raise AuthenticationFailed("The API key is not valid.")
    keys = ApiKey.objects.select_related("organisation")
    key = keys.filter(prefix=text.prefix).first()
    is_right = text.matches(NO_DIGEST if key is None else key.digest)
    if key is None or not is_right:
        raise AuthenticationFailed("The API key is not valid.")
    if not key.is_usable_at(timezone.now()):
        state = "expired" if key.revoked_at is None else "was revoked"
        raise AuthenticationFailed(f"The API key {state}. Ask for a new one.")
    return key
