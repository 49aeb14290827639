"""Regions, their cells and their boundary."""

from typing import Annotated, Any, Final, Literal, Self

from msgspec import Meta, Struct, to_builtins
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from analytics.grid import CellDigits
from perf.deadlines import watched
from riskplatform.api.cost import Product, check_cost
from riskplatform.api.endpoints import JSON, Router
from riskplatform.api.keys.access import find_access
from riskplatform.api.openapi import struct_schema
from riskplatform.api.paging import Limit, Page, page_of
from riskplatform.api.renderers import (
    GeoJsonRenderer,
    JsonRenderer,
    Rows,
)
from riskplatform.kernel.instants import AwareTime
from scoring.api.access import find_region, region_to_change
from scoring.api.model_versions import WRITERS
from scoring.api.schemas import Slug
from scoring.cell_ids import hex_of
from scoring.models import Region
from scoring.selectors.cell_shapes import cell_feature
from scoring.selectors.regions import (
    get_boundary,
    get_region,
    list_cell_ids,
    list_regions,
)
from scoring.services.boundaries import read_boundary, set_boundary
from scoring.services.region_removal import delete_region

# Public regions are open to everybody; the selectors leave out the others.
router = Router()

# Of a cell in the answer, rounded up.
BYTES_OF_CELL: Final = 80
BYTES_OF_POLYGON: Final = 450
OBJECT: Final = {"type": "object"}


class RegionListQuery(Struct, forbid_unknown_fields=True):
    after: Annotated[Slug, Meta(description="`next` of the page before.")] | None = None
    limit: Limit = 100


class RegionSummary(Struct):
    slug: str
    name: str
    timezone: str
    resolution: int
    cell_count: int
    observed_since: AwareTime | None
    source_credit: str
    source_url: str

    @classmethod
    def of(cls, region: Region) -> Self:
        return cls(
            slug=region.slug,
            name=region.name,
            timezone=region.timezone,
            resolution=region.resolution,
            cell_count=getattr(region, "cell_count", 0),
            observed_since=region.observed_since,
            source_credit=region.source_credit,
            source_url=region.source_url,
        )


class BoundaryDocument(Struct, omit_defaults=True):
    """GeoJSON; its other members are left alone."""

    type: Literal["FeatureCollection", "Feature", "Polygon", "MultiPolygon"]
    features: list[dict[str, Any]] = []
    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    coordinates: list[list[list[float | list[float]]]] = []
    crs: dict[str, Any] | None = None


class RegionCell(Struct):
    cell_id: CellDigits
    cell_hex: str


class RegionCells(Struct):
    region: str
    cells: list[RegionCell] = []


class RegionFeatures(Struct, kw_only=True):
    """GeoJSON (RFC 7946), with the region as a foreign member."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    region: str
    features: list[dict[str, Any]] = []


@router.get("regions", AllowAny)
def regions_list(request: Request, query: RegionListQuery) -> Page[RegionSummary]:
    """List the regions that you may see."""
    regions = list_regions(find_access(request))
    return page_of(regions, query, RegionSummary.of, key="slug")


@router.get("regions/<slug:slug>", AllowAny)
def regions_retrieve(request: Request, slug: str) -> RegionSummary:
    """Give one region."""
    return RegionSummary.of(get_region(slug, access=find_access(request)))


@router.get(
    "regions/<slug:slug>/cells",
    AllowAny,
    renderers=(JsonRenderer, GeoJsonRenderer),
    answers={
        (200, JSON): struct_schema(RegionCells),
        (200, GeoJsonRenderer.media_type): struct_schema(RegionFeatures),
    },
)
def regions_cells_retrieve(
    request: Request, slug: str
) -> Rows[RegionCells] | Rows[RegionFeatures]:
    """List the cells; `?format=geojson` gives their polygons."""
    region = find_region(request, slug)
    is_drawn = request.accepted_renderer.format == GeoJsonRenderer.format
    cells = list_cell_ids(region).tolist()
    check_cost(
        request,
        Product(
            factors={"cells": len(cells)},
            bytes_each=BYTES_OF_POLYGON if is_drawn else BYTES_OF_CELL,
            field="format",
            advice="Ask for the risk map by bbox, or for its tiles.",
        ),
    )
    if is_drawn:
        properties = b'{"cell_id":"%d","cell_hex":"%x"}'
        features = (cell_feature(cell, properties % (cell, cell)) for cell in cells)
        return Rows(RegionFeatures(region=region.slug), watched(features))
    rows = ({"cell_id": str(cell), "cell_hex": hex_of(cell)} for cell in cells)
    return Rows(RegionCells(region=region.slug), watched(rows))


@router.get(
    "regions/<slug:slug>/boundary",
    AllowAny,
    renderers=(GeoJsonRenderer, JsonRenderer),
    answers={(200, GeoJsonRenderer.media_type): OBJECT, (200, JSON): OBJECT},
)
def regions_boundary_retrieve(request: Request, slug: str) -> dict[str, Any]:
    """Give the named areas of the region as a GeoJSON FeatureCollection."""
    return get_boundary(find_region(request, slug))


@router.put("regions/<slug:slug>/boundary", WRITERS)
def regions_boundary_replace(
    request: Request, slug: str, body: BoundaryDocument
) -> None:
    """Say where the region is: a Polygon, a MultiPolygon, or features of them.

    Positions are longitude and latitude of WGS 84. The region gets all cells that
    overlap the areas, keeps those that it has, because forecasts depend on them, and
    no longer grows with its events.
    """
    region = region_to_change(request, slug)
    boundary = read_boundary(to_builtins(body), resolution=region.resolution)
    set_boundary(region, boundary)


@router.delete("regions/<slug:slug>", WRITERS)
def regions_delete(request: Request, slug: str) -> None:
    """Delete the region with all that hangs on it; portfolios and assets stay.

    What goes cannot be had back: events, cells, models, forecasts, assessments and
    alert rules. While events are on their way to the store it is 503
    `events_waiting`.
    """
    delete_region(region_to_change(request, slug))
