"""Regions, their cells and their boundary."""

from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from perf.deadlines import watched
from riskplatform.api.cost import Product, check_cost
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.keys.access import find_access
from riskplatform.api.renderers import GeoJsonRenderer, OrjsonRenderer, rows_response
from scoring.api.access import find_region
from scoring.api.risk_map import features_response
from scoring.api.schemas import ListQuery, RegionList, RegionSummary
from scoring.cell_ids import hex_of
from scoring.models import Region
from scoring.selectors.cell_shapes import cell_feature
from scoring.selectors.regions import (
    get_boundary,
    list_cell_ids,
    list_regions,
)

# Of a cell in the answer, rounded up.
BYTES_OF_CELL: Final = 80
BYTES_OF_POLYGON: Final = 450


class RegionListView(APIView):
    """Public regions are open to everybody; the selectors leave out the others."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="regions_list",
        parameters=query_parameters(ListQuery),
        responses={(200, "application/json"): body_schema(RegionList)},
    )
    def get(self, request: Request) -> Response:
        query = decode_query(request, ListQuery)
        regions = list_regions(find_access(request))
        if query.after is not None:
            regions = regions.filter(slug__gt=query.after)
        page = list(regions[: query.limit + 1])
        rows = [_summary(region) for region in page[: query.limit]]
        following = rows[-1]["slug"] if len(page) > query.limit else None
        return Response({"results": rows, "next": following})


class RegionDetailView(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(responses={(200, "application/json"): body_schema(RegionSummary)})
    def get(self, request: Request, slug: str) -> Response:
        return Response(_summary(find_region(request, slug)))


class RegionCellsView(APIView):
    permission_classes = (AllowAny,)
    renderer_classes = (OrjsonRenderer, GeoJsonRenderer)

    @extend_schema(responses={(200, "application/json"): {"type": "object"}})
    def get(self, request: Request, slug: str) -> HttpResponse:
        """List the cells; `?format=geojson` gives their polygons."""
        region = find_region(request, slug)
        is_drawn = request.accepted_renderer.format == GeoJsonRenderer.format
        cells = list_cell_ids(region).tolist()
        check_cost(
            request,
            Product(
                factors={"cells": len(cells)},
                bytes_each=BYTES_OF_POLYGON if is_drawn else BYTES_OF_CELL,
                pointer="/format",
                advice="Ask for the risk map by bbox, or for its tiles.",
            ),
        )
        if is_drawn:
            # With the index in hex: JSON numbers end at 2^53.
            return features_response(
                cell_feature(cell, {"cell_id": hex_of(cell)}) for cell in cells
            )
        rows = ({"cell_id": cell, "cell_hex": hex_of(cell)} for cell in cells)
        return rows_response({"region": region.slug}, "cells", watched(rows))


class RegionBoundaryView(APIView):
    permission_classes = (AllowAny,)
    renderer_classes = (GeoJsonRenderer, OrjsonRenderer)

    @extend_schema(responses={(200, "application/geo+json"): {"type": "object"}})
    def get(self, request: Request, slug: str) -> Response:
        """Give the named areas of the region as a GeoJSON FeatureCollection."""
        return Response(get_boundary(find_region(request, slug)))


def _summary(region: Region) -> dict[str, Any]:
    return {
        "slug": region.slug,
        "name": region.name,
        "timezone": region.timezone,
        "resolution": region.resolution,
        "cell_count": getattr(region, "cell_count", 0),
        "observed_since": region.observed_since,
        "source_credit": region.source_credit,
        "source_url": region.source_url,
    }
