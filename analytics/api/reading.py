"""Who may read events, and what of them: keys with the scope, and staff."""

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.views import APIView

from analytics.errors import RegionNotFoundError
from analytics.placement import get_directory
from riskplatform.api.keys.authentication import ApiKeyAuthentication
from riskplatform.api.keys.models import ApiKey, Scope
from riskplatform.api.keys.permissions import has_scope

READERS: Any = has_scope(Scope.SCORES_READ) | IsAdminUser


class ReadingView(APIView):
    authentication_classes = (ApiKeyAuthentication, SessionAuthentication)
    permission_classes = (READERS,)


def organisation_of(request: Request) -> str | None:
    """Name the organisation whose events a request may see; staff sees all."""
    key = request.auth
    return key.organisation.slug if isinstance(key, ApiKey) else None


def check_region(request: Request, slug: str) -> None:
    """Refuse a region that is not there, and to a key one that is not public."""
    grid = get_directory().find(slug)
    is_staff = organisation_of(request) is None
    if grid is None or not (grid.is_public or is_staff):
        raise RegionNotFoundError(f"There is no region {slug!r}.", region=slug)
