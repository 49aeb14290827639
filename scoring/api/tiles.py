"""GET /risk-map/tiles/{z}/{x}/{y}.mvt: the risk map for maps that load tile by tile."""

from collections.abc import Iterable, Iterator
from itertools import chain

from django.http import HttpResponse
from msgspec import Struct
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from perf.cache.edge.policy import EdgePolicy
from perf.cache.lifetimes import MODEL_PREDICTION_TTL_S
from perf.deadlines import watched
from riskplatform.api.cost import Product, check_cost
from riskplatform.api.endpoints import Router
from riskplatform.api.inputs import FORMAT
from riskplatform.api.negotiation import Negotiation
from riskplatform.api.renderers import JsonRenderer, finite_list
from riskplatform.api.vector_tiles import (
    CONTENT_TYPE,
    EXTENT,
    TileFeature,
    encode_tile,
    tile_ring,
)
from riskplatform.kernel.errors import InvalidInputError
from riskplatform.kernel.instants import AwareTime
from scoring.api.access import by_region, depends_on_region, find_region
from scoring.api.risk_map import Threshold
from scoring.api.schemas import HorizonSec, Slug
from scoring.arrays import ForecastColumns
from scoring.cell_ids import hex_of
from scoring.horizons import DAY_S
from scoring.selectors.cell_shapes import TileAddress, count_in_tile, rings_in_tile
from scoring.selectors.forecasts import get_columns, get_latest_forecast

# Public regions are open to everybody; the selectors leave out the others.
router = Router()
LAYER = "cells"
MAX_ZOOM = 22
# Units beyond the edge, so that outlines do not end in sight.
MARGIN = 64
# Of a cell in a tile, rounded up.
BYTES_OF_CELL = 150


class TileRenderer(JsonRenderer):
    """Lets clients accept tiles; a problem stays JSON."""

    media_type = CONTENT_TYPE
    format = "mvt"


class OneFormat(Negotiation):
    """The address says what it is, whatever a map says that it accepts."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        if FORMAT in request.query_params:
            return super().select_renderer(request, renderers)
        (only,) = renderers
        return only, CONTENT_TYPE


class TileQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    horizon_sec: HorizonSec = DAY_S
    time: AwareTime | None = None
    min_p: Threshold = 0.0


@router.get(
    "risk-map/tiles/<int:z>/<int:x>/<int:y>.mvt",
    AllowAny,
    answers={(200, CONTENT_TYPE): {"type": "string", "format": "binary"}, 204: None},
    renderers=(TileRenderer,),
    negotiation=OneFormat,
    edge=EdgePolicy(ttl_s=MODEL_PREDICTION_TTL_S, audience=by_region),
)
def risk_map_tile(
    request: Request, z: int, x: int, y: int, query: TileQuery
) -> HttpResponse:
    """Draw the cells as polygons of the layer `cells`; 204 where there are none.

    Tiles are those of web maps: Web Mercator, y from the north, Mapbox Vector
    Tile 2.1. Cells smaller than 1/4096 of the tile are left out.
    """
    tile = _address(z, x, y)
    region = find_region(request, query.region)
    depends_on_region(request, region)
    forecast = get_latest_forecast(
        region, horizon_sec=query.horizon_sec, moment=query.time
    )
    columns = get_columns(forecast)
    n_cells = count_in_tile(columns.cells, tile, extent=EXTENT, margin=MARGIN)
    check_cost(
        request,
        Product(
            factors={"cells": n_cells},
            bytes_each=BYTES_OF_CELL,
            field="z",
            advice="Ask for tiles of a larger zoom.",
        ),
    )
    features = watched(_features(columns, tile, min_p=query.min_p))
    first = next(features, None)
    if first is None:
        return HttpResponse(status=204)
    body = encode_tile(LAYER, chain([first], features))
    return HttpResponse(body, content_type=CONTENT_TYPE)


def _address(z: int, x: int, y: int) -> TileAddress:
    if z > MAX_ZOOM:
        raise InvalidInputError(f"Tiles have zoom 0 to {MAX_ZOOM}.", field="z")
    for name, value in (("x", x), ("y", y)):
        if value >= 2**z:
            raise InvalidInputError(f"{name} is below {2**z} at zoom {z}.", field=name)
    return TileAddress(zoom=z, x=x, y=y)


def _features(
    columns: ForecastColumns, tile: TileAddress, *, min_p: float
) -> Iterator[TileFeature]:
    cells = columns.cells.tolist()
    figures = {
        name: finite_list(getattr(columns, name))
        for name in ("p_event", "q05", "q50", "q95")
    }
    for row, outline in rings_in_tile(
        columns.cells, tile, extent=EXTENT, margin=MARGIN
    ):
        if figures["p_event"][row] < min_p or not (ring := tile_ring(outline)):
            continue
        properties: dict[str, str | float] = {"cell_hex": hex_of(cells[row])}
        properties |= {name: values[row] for name, values in figures.items()}
        yield TileFeature(feature_id=cells[row], ring=ring, properties=properties)
