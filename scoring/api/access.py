"""Regions as a request may see and change them, and who shares answers about them."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from django.http import HttpRequest
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from analytics.errors import RegionNotFoundError
from analytics.grid import parse_cell, read_cell
from perf.cache.edge.policy import confirm_audience, depends_on
from perf.cache.edge.principals import EdgePrincipal
from riskplatform.api.inputs import refuse_repeats
from riskplatform.api.keys.access import (
    FULL_ACCESS,
    READ_REGIONS,
    Access,
    OwnedRegion,
    find_access,
    how_seen,
    may_change_models,
    may_see_region,
)
from scoring import change_names
from scoring.models import Region
from scoring.selectors.regions import (
    REGIONS,
    find_known_region,
    get_region,
    get_region_of_cells,
)

# Bodies up to this are remembered with the region they name: clients repeat themselves.
MAX_REMEMBERED_BYTES: Final = 4 << 10
EVERYBODY: Final = "everybody"
NOBODY: Final = "nobody"


class _Named(msgspec.Struct):
    region: str | None = None


def find_region(request: Request | HttpRequest, slug: str) -> Region:
    """Find a region that the request may see."""
    return find_known_region(slug, access=find_access(request))


def find_region_of_organisation(request: Request, slug: str) -> Region:
    """Find a region that the organisation sees, for what works in its name."""
    return get_region(slug, access=find_access(request).as_member())


def region_of_request(request: Request, slug: str | None, cells: list[int]) -> Region:
    """Find the region that is named, else the one that holds the cells."""
    if slug is None:
        return get_region_of_cells(cells, access=find_access(request))
    return find_region(request, slug)


def parse_cell_ids(
    values: Iterable[int | str], name: str, *, member: str = ""
) -> list[int]:
    """Read H3 cells, each once; `member` is where items of the list hold theirs."""
    given = list(values)
    cells = [cell for value in given if (cell := read_cell(value)) is not None]
    if len(cells) != len(given):
        for index, value in enumerate(given):
            parse_cell(value, field=(name, index, *filter(None, [member])))
    if len(set(cells)) != len(cells):
        refuse_repeats(cells, name, member=member)
    return cells


def region_to_change(request: Request, slug: str) -> Region:
    """Find a region whose models the request may change."""
    region = get_region(slug, access=FULL_ACCESS)
    require_change(request, region)
    return region


def require_change(request: Request, region: Region) -> None:
    """Refuse to change models of somebody else's region; what is unseen is absent."""
    access = find_access(request)
    if may_change_models(access, region):
        return
    if may_see_region(access, region):
        raise PermissionDenied(
            f"Region {region.slug!r} and its models are changed by its owner only: "
            "with a key or a membership of that organisation, or, where it is the "
            "installation, by staff."
        )
    raise RegionNotFoundError(
        f"There is no region {region.slug!r}.{how_seen(access)}", region=region.slug
    )


def by_region(principal: EdgePrincipal, environ: Mapping[str, Any], body: bytes) -> str:
    """Share answers about a region, which are the same for all who see it.

    An answer about a public region is everybody's, one about a private region that
    of those who see what its owner has. Where no known region is named, only those
    who see the same regions share.
    """
    query = environ.get("QUERY_STRING", "")
    slug = _named_in_body(body) if body else _named_in_query(query)
    region = None if slug is None else REGIONS.get(None).get(slug)
    return audience_of(principal.access, region)


def audience_of(access: Access, region: OwnedRegion | None) -> str:
    if region is None:
        return _reach(access)
    if region.is_public:
        return EVERYBODY
    if not may_see_region(access, region):
        return NOBODY
    return f"owner {region.owner_id}"


def depends_on_region(
    request: Request, region: Region, *names: str, is_named: bool = True
) -> None:
    """Say that a response shared by `by_region` depends on the forecasts there."""
    depends_on(request, change_names.forecasts_of(region.slug), *names)
    about = region if is_named else None
    confirm_audience(request, audience_of(find_access(request), about))


def _reach(access: Access) -> str:
    if READ_REGIONS.permission in access.permissions:
        return "sees all regions"
    if access.has(READ_REGIONS):
        return f"sees regions of {access.organisation_id}"
    return "sees public regions"


@lru_cache(maxsize=4_096)
def _named_in_query(query: str) -> str | None:
    named = parse_qs(query).get("region", ())
    return named[0] if len(named) == 1 else None


def _named_in_body(body: bytes) -> str | None:
    if len(body) <= MAX_REMEMBERED_BYTES:
        return _remembered_name(body)
    return _read_name(body)


def _read_name(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=_Named).region
    except (msgspec.MsgspecError, ValueError):
        return None


_remembered_name = lru_cache(maxsize=4_096)(_read_name)
