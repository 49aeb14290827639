"""Regions, their cells and their boundary."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.keys.access import find_access
from riskplatform.api.renderers import GeoJsonRenderer, OrjsonRenderer
from scoring.api.access import find_region
from scoring.api.schemas import ListQuery, RegionList, RegionSummary
from scoring.cell_ids import hex_of
from scoring.models import Region
from scoring.selectors.regions import (
    get_boundary,
    get_cells_geojson,
    list_cell_ids,
    list_regions,
)


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
    def get(self, request: Request, slug: str) -> Response:
        """List the cells; `?format=geojson` gives their polygons."""
        region = find_region(request, slug)
        if request.accepted_renderer.format == GeoJsonRenderer.format:
            return Response(get_cells_geojson(region))
        cells = [int(cell) for cell in list_cell_ids(region)]
        rows = [{"cell_id": cell, "cell_hex": hex_of(cell)} for cell in cells]
        return Response({"region": region.slug, "cells": rows})


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
