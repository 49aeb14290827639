"""GET /risk-map: how likely an event is, cell by cell."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, Literal, Self

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from msgspec.structs import asdict
from numpy.typing import NDArray
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from analytics.grid import Bounds, CellDigits
from perf.cache.edge.policy import EdgePolicy
from perf.cache.lifetimes import MODEL_PREDICTION_TTL_S
from perf.deadlines import watched
from riskplatform.api.cost import Product, check_cost
from riskplatform.api.endpoints import Router
from riskplatform.api.openapi import struct_schema
from riskplatform.api.renderers import (
    ColumnsRenderer,
    GeoJsonRenderer,
    JsonRenderer,
    Rows,
    json_columns,
    json_template,
)
from riskplatform.api.tables import (
    ArrowRenderer,
    CsvRenderer,
    arrow_pieces,
    csv_pieces,
    schema_of,
)
from riskplatform.kernel.instants import AwareTime, utc_text
from scoring.api.access import by_region, depends_on_region, find_region
from scoring.api.schemas import (
    EventProbability,
    HorizonSec,
    RiskQuantile,
    Slug,
)
from scoring.api.written_cells import MOST_ANSWER_BYTES, columns_as_json, write_once
from scoring.arrays import ForecastColumns
from scoring.cell_ids import hex_of
from scoring.horizons import DAY_S
from scoring.models import Forecast, Region
from scoring.selectors.cell_shapes import cell_feature
from scoring.selectors.forecasts import get_columns, get_latest_forecast, risk_map_rows

# Public regions are open to everybody; the selectors leave out the others.
router = Router()
# Of a cell in the answer, by format, rounded up.
BYTES_OF_CELL: Final = {
    "json": 250,
    "geojson": 600,
    "columns": 150,
    "csv": 300,
    "arrow": 100,
}
CSV_FACTS: Final = ("region", "model_version", "time", "horizon_sec")

Threshold = Annotated[
    float, Meta(ge=0, le=1, description="Leave out cells below this p_event.")
]


class RiskMapQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    horizon_sec: HorizonSec = DAY_S
    time: AwareTime | None = None
    bbox: (
        Annotated[str, Meta(description="West,south,east,north in degrees.")] | None
    ) = None
    min_p: Threshold = 0.0
    format: Annotated[
        str, Meta(description="json, geojson, columns, csv or arrow.")
    ] = "json"


class CellRisk(Struct):
    cell_id: CellDigits
    cell_hex: str
    p_event: EventProbability
    mean_risk: EventProbability
    q05: RiskQuantile
    q50: RiskQuantile
    q95: RiskQuantile


class ForecastHead(Struct):
    """Which forecast an answer is from."""

    region: str
    forecast_id: str
    model_version: str
    time: AwareTime
    horizon_sec: int
    raised_from_shorter_horizon: Annotated[
        int,
        Meta(
            description="How many cells of the forecast have the figure of a shorter"
            " horizon, because the model of this one expected less."
        ),
    ]

    @classmethod
    def of(cls, region: Region, forecast: Forecast, **more: Any) -> Self:
        return cls(
            region=region.slug,
            forecast_id=str(forecast.pk),
            model_version=str(forecast.model_version),
            time=forecast.issued_for,
            horizon_sec=forecast.horizon_sec,
            raised_from_shorter_horizon=forecast.raised_cell_count,
            **more,
        )


class RiskMap(ForecastHead):
    aggregated: list[CellRisk]


class RiskFeatures(ForecastHead, kw_only=True):
    """GeoJSON (RFC 7946): the forecast is told by foreign members."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[dict[str, Any]]


class CellColumns(Struct):
    """The same place in all lists is the same cell."""

    cell_id: list[CellDigits]
    cell_hex: list[str]
    p_event: list[EventProbability]
    mean_risk: list[EventProbability]
    q05: list[RiskQuantile]
    q50: list[RiskQuantile]
    q95: list[RiskQuantile]


class RiskMapColumns(ForecastHead):
    columns: CellColumns


@router.get(
    "risk-map",
    AllowAny,
    answers={
        (200, JsonRenderer.media_type): struct_schema(RiskMap),
        (200, GeoJsonRenderer.media_type): struct_schema(RiskFeatures),
        (200, ColumnsRenderer.media_type): struct_schema(RiskMapColumns),
        (200, CsvRenderer.media_type): {"type": "string"},
        (200, ArrowRenderer.media_type): {"type": "string", "format": "binary"},
    },
    renderers=(
        JsonRenderer,
        GeoJsonRenderer,
        ColumnsRenderer,
        CsvRenderer,
        ArrowRenderer,
    ),
    edge=EdgePolicy(ttl_s=MODEL_PREDICTION_TTL_S, audience=by_region),
)
def risk_map(
    request: Request, query: RiskMapQuery
) -> Rows[RiskMap] | Rows[RiskFeatures] | HttpResponseBase:
    """Give every cell of the newest forecast issued at or before `time`.

    `bbox` and `min_p` keep a part of the cells; columns are best for large maps.
    """
    bbox = None if query.bbox is None else Bounds.read(query.bbox, field="bbox")
    region = find_region(request, query.region)
    depends_on_region(request, region)
    forecast = get_latest_forecast(
        region, horizon_sec=query.horizon_sec, moment=query.time
    )
    whole = get_columns(forecast)
    rows = risk_map_rows(whole, bbox=bbox, min_p=query.min_p)
    wanted = request.accepted_renderer
    check_cost(
        request,
        Product(
            factors={"cells": rows.size},
            bytes_each=BYTES_OF_CELL[wanted.format],
            field="bbox",
            advice="Ask for a part by bbox or min_p, or for tiles.",
        ),
    )
    if isinstance(wanted, ColumnsRenderer | CsvRenderer | ArrowRenderer):
        return _table(wanted, whole.take(rows), ForecastHead.of(region, forecast))
    is_drawn = isinstance(wanted, GeoJsonRenderer)
    write = _features if is_drawn else risk_rows
    written: Iterable[bytes]
    if rows.size * BYTES_OF_CELL[wanted.format] > MOST_ANSWER_BYTES:
        written = watched(write(whole.take(rows)))
    else:
        written = write_once(
            forecast.pk.bytes + wanted.format.encode(),
            whole.cells[rows].tolist(),
            lambda absent: write(whole.take(rows[absent])),
        )
    if is_drawn:
        return Rows(RiskFeatures.of(region, forecast, features=[]), written)
    return Rows(RiskMap.of(region, forecast, aggregated=[]), written)


def _features(columns: ForecastColumns) -> Iterator[bytes]:
    rows = risk_rows(columns)
    return map(cell_feature, columns.cells.tolist(), rows)


def risk_rows(columns: ForecastColumns) -> Iterator[bytes]:
    """Give each cell as JSON; `mean_risk` equals `p_event` by their meanings."""
    row = json_template(CellRisk, cell_id=b'"%d"', cell_hex=b'"%x"')
    for cell, p_event, *quantiles in columns_as_json(columns):
        yield row % (cell, cell, p_event, p_event, *quantiles)


def figures_by_name(columns: ForecastColumns) -> dict[str, NDArray[Any] | list[str]]:
    """Give the columns as answers name them."""
    return {
        "cell_id": columns.cells,
        "cell_hex": [hex_of(cell) for cell in columns.cells.tolist()],
        "p_event": columns.p_event,
        "mean_risk": columns.p_event,
        "q05": columns.q05,
        "q50": columns.q50,
        "q95": columns.q95,
    }


def _table(
    wanted: ColumnsRenderer | CsvRenderer | ArrowRenderer,
    columns: ForecastColumns,
    head: ForecastHead,
) -> HttpResponse:
    """Answer with one row a cell; the facts of the forecast are its metadata."""
    table = figures_by_name(columns)
    if isinstance(wanted, ColumnsRenderer):
        body = json_columns(head, table)
        return HttpResponse(body, content_type=wanted.media_type)
    facts = {name: str(value) for name, value in asdict(head).items()}
    facts["time"] = utc_text(head.time)
    if isinstance(wanted, ArrowRenderer):
        pieces = arrow_pieces(schema_of(table, metadata=facts), [table])
        return HttpResponse(b"".join(pieces), content_type=wanted.media_type)
    name = f"{facts['region']}-{facts['horizon_sec']}s.csv"
    # Facts that distinguish a row from those of another forecast.
    constant = {fact: [facts[fact]] * len(columns.cells) for fact in CSV_FACTS}
    batch = {**constant, **table}
    return HttpResponse(
        b"".join(watched(csv_pieces(batch, [batch]), every=1)),
        content_type=f"{wanted.media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
