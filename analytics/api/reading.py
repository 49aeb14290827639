"""Who may read events, and whose: keys with the scope, members, and staff."""

from rest_framework.request import Request
from rest_framework.views import APIView

from analytics.errors import RegionNotFoundError
from analytics.placement import get_directory
from riskplatform.api.keys.access import (
    READ_EVENTS,
    EventOwners,
    events_seen,
    find_access,
    may_see_region,
)
from riskplatform.api.keys.permissions import has_right


class ReadingView(APIView):
    permission_classes = (has_right(READ_EVENTS),)


def events_to_read(request: Request, slug: str) -> EventOwners:
    """Say whose events of a region are read; a region that is unseen is absent."""
    access = find_access(request)
    ownership = get_directory().find_ownership(slug)
    if ownership is None or not may_see_region(access, ownership):
        raise RegionNotFoundError(f"There is no region {slug!r}.", region=slug)
    return events_seen(access)
