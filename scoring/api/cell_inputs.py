"""Cells as requests name them: by their index, or by a place that lies in them."""

from collections.abc import Sequence
from typing import Annotated

import h3.api.basic_int as h3
from msgspec import Meta, Struct
from rest_framework.request import Request

from analytics.grid import parse_cell
from riskplatform.api.inputs import refuse_repeats
from riskplatform.api.keys.access import find_access
from riskplatform.kernel.errors import InvalidInputError
from scoring.api.access import find_region, parse_cell_ids, region_of_request
from scoring.api.schemas import CellId
from scoring.models import Region
from scoring.selectors.regions import get_region_at

Latitude = Annotated[float, Meta(ge=-90, le=90, description="In degrees (WGS 84).")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="In degrees (WGS 84).")]


class CellInput(Struct, forbid_unknown_fields=True):
    """A cell, by `cell_id` or by the `lat` and `lon` of a place in it."""

    cell_id: CellId | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    features: dict[str, float] | None = None


def region_and_cells(
    request: Request, slug: str | None, inputs: Sequence[CellInput]
) -> tuple[Region, list[int]]:
    """Find the cells, and the region that is named, else the one that holds the first.

    Raises
    ------
    InvalidInputError
        One names no cell, or the cell of one before it.
    """
    ids = [each.cell_id for each in inputs if each.cell_id is not None]
    if len(ids) == len(inputs):
        cells = parse_cell_ids(ids, "cells", member="cell_id")
        if not any(each.lat is not None or each.lon is not None for each in inputs):
            return region_of_request(request, slug, cells), cells
    for index, each in enumerate(inputs):
        _check(each, index)
    region = _region(request, slug, inputs[0])
    cells = [_cell(each, index, region) for index, each in enumerate(inputs)]
    if len(set(cells)) != len(cells):
        refuse_repeats([f"{cell:x}" for cell in cells], "cells")
    return region, cells


def _check(given: CellInput, index: int) -> None:
    n_degrees = (given.lat is not None) + (given.lon is not None)
    if n_degrees != (0 if given.cell_id is not None else 2):
        raise InvalidInputError(
            "A cell is named by cell_id, or by lat and lon.", field=("cells", index)
        )


def _region(request: Request, slug: str | None, first: CellInput) -> Region:
    if slug is not None:
        return find_region(request, slug)
    if first.lat is not None and first.lon is not None:
        return get_region_at(first.lat, first.lon, access=find_access(request))
    return region_of_request(request, None, [_cell(first, 0, None)])


def _cell(given: CellInput, index: int, region: Region | None) -> int:
    if region is None or given.lat is None or given.lon is None:
        return parse_cell(given.cell_id or "", field=("cells", index, "cell_id"))
    return int(h3.latlng_to_cell(given.lat, given.lon, region.resolution))
