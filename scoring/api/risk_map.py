"""GET /risk-map: how likely an event is, cell by cell."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from analytics.grid import Bounds
from perf.cache.edge.policy import EdgePolicy
from perf.cache.lifetimes import MODEL_PREDICTION_TTL_S
from perf.deadlines import watched
from riskplatform.api.cost import Product, check_cost
from riskplatform.api.inputs import (
    body_schema,
    decode_query,
    invalid_input,
    query_parameters,
)
from riskplatform.api.renderers import (
    GeoJsonRenderer,
    OrjsonRenderer,
    finite_list,
    rows_response,
)
from riskplatform.api.strict_texts import number_of_text
from riskplatform.api.tables import (
    ArrowRenderer,
    Column,
    CsvRenderer,
    arrow_pieces,
    csv_pieces,
    schema_of,
)
from scoring.api.access import by_region, depends_on_region, find_region
from scoring.api.schemas import RiskMap, RiskMapQuery
from scoring.arrays import ForecastColumns
from scoring.cell_ids import hex_of
from scoring.models import Forecast, Region
from scoring.selectors.cell_shapes import cell_feature
from scoring.selectors.forecasts import get_latest_forecast
from scoring.selectors.risk_maps import get_risk_map

# Of a cell in the answer, by format, rounded up.
BYTES_OF_CELL: Final = {"json": 250, "geojson": 600, "csv": 300, "arrow": 100}
CSV_FACTS = ("region", "model_version", "time", "horizon_sec")


class RiskMapView(APIView):
    """Public regions are open to everybody; the selectors leave out the others."""

    permission_classes = (AllowAny,)
    renderer_classes = (OrjsonRenderer, GeoJsonRenderer, CsvRenderer, ArrowRenderer)
    edge = EdgePolicy(ttl_s=MODEL_PREDICTION_TTL_S, audience=by_region)

    @extend_schema(
        operation_id="risk_map",
        parameters=query_parameters(RiskMapQuery),
        responses={
            (200, OrjsonRenderer.media_type): body_schema(RiskMap),
            (200, GeoJsonRenderer.media_type): {"type": "object"},
            (200, CsvRenderer.media_type): {"type": "string"},
            (200, ArrowRenderer.media_type): {"type": "string", "format": "binary"},
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        query = decode_query(request, RiskMapQuery)
        bbox = None if query.bbox is None else parse_bbox(query.bbox)
        region = find_region(request, query.region)
        depends_on_region(request, region)
        forecast = get_latest_forecast(
            region, horizon_sec=query.horizon_sec, moment=query.time
        )
        columns = get_risk_map(forecast, bbox=bbox, min_p=query.min_p)
        wanted = request.accepted_renderer
        check_cost(
            request,
            Product(
                factors={"cells": columns.cells.size},
                bytes_each=BYTES_OF_CELL[wanted.format],
                pointer="/bbox",
                advice="Ask for a part by bbox or min_p, or for tiles.",
            ),
        )
        head = forecast_header(region, forecast)
        if isinstance(wanted, CsvRenderer | ArrowRenderer):
            return _table(wanted, columns, head)
        if isinstance(wanted, GeoJsonRenderer):
            return features_response(
                cell_feature(row["cell_id"], row) for row in risk_rows(columns)
            )
        return rows_response(head, "aggregated", watched(risk_rows(columns)))


def features_response(features: Iterable[dict[str, Any]]) -> HttpResponse:
    """Answer with GeoJSON features as they are made."""
    return rows_response(
        {"type": "FeatureCollection"},
        "features",
        watched(features),
        renderer=GeoJsonRenderer,
    )


def forecast_header(region: Region, forecast: Forecast) -> dict[str, Any]:
    return {
        "region": region.slug,
        "forecast_id": str(forecast.pk),
        "model_version": str(forecast.model_version),
        "time": forecast.issued_for,
        "horizon_sec": forecast.horizon_sec,
    }


def risk_rows(columns: ForecastColumns) -> Iterator[dict[str, Any]]:
    """Make one row a cell; `mean_risk` equals `p_event` by the meaning of both."""
    values = zip(
        columns.cells.tolist(),
        finite_list(columns.p_event),
        finite_list(columns.q05),
        finite_list(columns.q50),
        finite_list(columns.q95),
        strict=True,
    )
    for cell, p_event, q05, q50, q95 in values:
        yield {
            "cell_id": cell,
            "cell_hex": hex_of(cell),
            "p_event": p_event,
            "mean_risk": p_event,
            "q05": q05,
            "q50": q50,
            "q95": q95,
        }


def parse_bbox(text: str) -> Bounds:
    numbers = [number_of_text(part.strip()) for part in text.split(",")]
    degrees = [float(number) for number in numbers if number is not None]
    if len(numbers) != 4 or len(degrees) != 4:
        raise invalid_input("/bbox", "bbox is west,south,east,north in degrees.")
    west, south, east, north = degrees
    if not (
        -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90
    ):
        raise invalid_input("/bbox", "bbox lies outside the globe, or south > north.")
    return Bounds(west=west, south=south, east=east, north=north)


def _table(
    wanted: CsvRenderer | ArrowRenderer,
    columns: ForecastColumns,
    header: dict[str, Any],
) -> HttpResponse:
    """Answer with one row a cell; the facts of the forecast are its metadata."""
    table: dict[str, Column] = {
        "cell_id": columns.cells,
        "cell_hex": [hex_of(cell) for cell in columns.cells.tolist()],
        "p_event": columns.p_event,
        "mean_risk": columns.p_event,
        "q05": columns.q05,
        "q50": columns.q50,
        "q95": columns.q95,
    }
    facts = {**header, "time": header["time"].isoformat()}
    facts = {name: str(value) for name, value in facts.items()}
    if isinstance(wanted, ArrowRenderer):
        pieces = arrow_pieces(schema_of(table, metadata=facts), [table])
        return HttpResponse(b"".join(pieces), content_type=wanted.media_type)
    name = f"{facts['region']}-{facts['horizon_sec']}s.csv"
    # Facts that a row needs to be told from those of another forecast.
    told = {fact: [facts[fact]] * len(columns.cells) for fact in CSV_FACTS}
    batch = {**told, **table}
    return HttpResponse(
        b"".join(watched(csv_pieces(batch, [batch]), every=1)),
        content_type=f"{wanted.media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
