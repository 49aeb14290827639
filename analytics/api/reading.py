"""What reading events needs: who may read which, and the forms of its queries."""

from typing import Annotated, Final

from msgspec import Meta
from rest_framework.request import Request

from analytics.errors import RegionNotFoundError
from analytics.grid import parse_cell
from analytics.placement import get_directory
from riskplatform.api.keys.access import (
    READ_EVENTS,
    EventOwners,
    events_seen,
    find_access,
    how_seen,
    may_see_region,
)
from riskplatform.api.keys.permissions import has_right

# Keys with the scope, members, and staff.
READERS: Final = has_right(READ_EVENTS)
Moment = Annotated[
    str,
    Meta(
        description="A day of UTC, such as 2026-11-23, or a time with its offset, such"
        " as 2026-11-23T14:05:00Z.",
        extra_json_schema={
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
            ]
        },
    ),
]
Limit = Annotated[int, Meta(ge=1, le=1_000, description="Rows of a page.")]


def events_to_read(request: Request, slug: str) -> EventOwners:
    """Say whose events of a region are read; a region that is unseen is absent."""
    access = find_access(request)
    ownership = get_directory().find_ownership(slug)
    if ownership is None or not may_see_region(access, ownership):
        raise RegionNotFoundError(
            f"There is no region {slug!r}.{how_seen(access)}", region=slug
        )
    return events_seen(access)


def parse_cells(text: str, field: str) -> list[int]:
    """Read H3 cells that are separated by commas."""
    return [parse_cell(cell.strip(), field=field) for cell in text.split(",") if cell]
