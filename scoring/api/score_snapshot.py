"""POST /score-snapshot: distributions and joint scenarios of chosen cells."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Annotated, Final

import numpy as np
from django.http import HttpResponse
from msgspec import Meta, Struct
from numpy.typing import NDArray
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from analytics.grid import CellDigits
from perf.cache.edge.policy import EdgePolicy
from perf.cache.lifetimes import MODEL_PREDICTION_TTL_S
from perf.deadlines import watched
from riskplatform.api.cost import Product, check_cost
from riskplatform.api.endpoints import Router
from riskplatform.api.openapi import struct_schema
from riskplatform.api.renderers import (
    ColumnsRenderer,
    JsonRenderer,
    Rows,
    json_columns,
    json_numbers,
    json_template,
)
from riskplatform.kernel.instants import AwareTime
from scoring import change_names
from scoring.api.access import by_region, depends_on_region
from scoring.api.cell_inputs import CellInput, region_and_cells
from scoring.api.risk_map import CellColumns, ForecastHead, figures_by_name
from scoring.api.schemas import (
    MAX_CELLS,
    EventProbability,
    HorizonSec,
    RiskQuantile,
    Slug,
)
from scoring.api.written_cells import (
    MOST_ANSWER_BYTES,
    WrittenCell,
    columns_as_json,
    write_once,
)
from scoring.arrays import ForecastColumns
from scoring.models import Forecast
from scoring.selectors.forecasts import get_latest_forecast
from scoring.services.forecasts.snapshots import ScoredCells, score_cells

# Public regions are open to everybody; the selectors leave out the others.
router = Router()
MAX_SCENARIOS: Final = 1_000
# A scenario and its value; what the cell itself takes is a part of it.
BYTES_OF_VALUE: Final = 60
VALUES_AT_ONCE: Final = 20_000

RiskValue = Annotated[
    float,
    Meta(
        ge=0,
        le=1,
        description="Joint draw over all cells of the probability of an event; its "
        "mean over the scenarios is p_event.",
    ),
]


class SnapshotRequest(Struct, forbid_unknown_fields=True):
    time: AwareTime
    horizon_sec: HorizonSec
    cells: Annotated[list[CellInput], Meta(min_length=1, max_length=MAX_CELLS)]
    region: Slug | None = None
    n_scenarios: Annotated[int, Meta(ge=1, le=MAX_SCENARIOS)] = 50


class DistributionParams(Struct):
    p_event: EventProbability
    q05: RiskQuantile
    q50: RiskQuantile
    q95: RiskQuantile


class ScenarioValue(Struct):
    scenario_id: int
    risk_value: RiskValue


class Zone(Struct):
    cell_id: CellDigits
    cell_hex: str
    distribution_params: DistributionParams
    scenarios: list[ScenarioValue]


class Snapshot(ForecastHead):
    zones: list[Zone]


class ScoreColumns(CellColumns):
    """`risk_values` has the scenarios of each cell, in order."""

    risk_values: list[list[RiskValue]]


class SnapshotColumns(ForecastHead):
    columns: ScoreColumns


@router.post(
    "score-snapshot",
    AllowAny,
    answers={
        (200, JsonRenderer.media_type): struct_schema(Snapshot),
        (200, ColumnsRenderer.media_type): struct_schema(SnapshotColumns),
    },
    renderers=(JsonRenderer, ColumnsRenderer),
    edge=EdgePolicy(ttl_s=MODEL_PREDICTION_TTL_S, method="POST", audience=by_region),
)
def score_snapshot(
    request: Request, body: SnapshotRequest
) -> Rows[Snapshot] | HttpResponse:
    """Score cells from the newest forecast issued at or before `time`.

    A cell is named by its index or by a place in it, and one that brings its own
    features is scored from them instead. Large questions
    are best answered by columns, which a client parses several times faster.
    """
    check_cost(
        request,
        Product(
            factors={"cells": len(body.cells), "scenarios": body.n_scenarios},
            bytes_each=BYTES_OF_VALUE,
            values_each=1,
            field="cells",
            advice="Ask for fewer cells or fewer scenarios.",
        ),
    )
    region, cells = region_and_cells(request, body.region, body.cells)
    is_named = body.region is not None
    depends_on_region(request, region, change_names.REGIONS, is_named=is_named)
    forecast = get_latest_forecast(
        region, horizon_sec=body.horizon_sec, moment=body.time
    )
    answer = Snapshot.of(region, forecast, zones=[])
    features = [cell.features for cell in body.cells]
    by_column = isinstance(request.accepted_renderer, ColumnsRenderer)
    n_bytes = len(cells) * body.n_scenarios * BYTES_OF_VALUE
    is_kept = n_bytes <= MOST_ANSWER_BYTES and all(each is None for each in features)
    if is_kept and not by_column:
        return Rows(answer, _cached_zones(forecast, cells, body.n_scenarios))
    scored = score_cells(
        forecast, cells=cells, features=features, n_scenarios=body.n_scenarios
    )
    if by_column:
        return _by_column(ForecastHead.of(region, forecast), scored)
    return Rows(
        answer,
        watched(zones_as_json(scored.columns, scored.risk_values), every=1),
        rows_at_once=_cells_at_once(body.n_scenarios),
    )


def _by_column(head: ForecastHead, scored: ScoredCells) -> HttpResponse:
    columns = figures_by_name(scored.columns)
    body = json_columns(head, {**columns, "risk_values": scored.risk_values.T})
    return HttpResponse(body, content_type=ColumnsRenderer.media_type)


def _cached_zones(
    forecast: Forecast, cells: list[int], n_scenarios: int
) -> list[WrittenCell]:
    def write(rows: NDArray[np.int64]) -> Iterator[bytes]:
        # All of them, so that an error names one by its place among all.
        none = [None] * len(cells)
        scored = score_cells(
            forecast, cells=cells, features=none, n_scenarios=n_scenarios
        )
        return zones_as_json(scored.columns.take(rows), scored.risk_values[:, rows])

    return write_once(forecast.pk.bytes + b"%d" % n_scenarios, cells, write)


def zones_as_json(
    columns: ForecastColumns, risk_values: NDArray[np.float64]
) -> Iterator[bytes]:
    """Write each cell with its scenarios; `risk_values` (n_scenarios, n_cells)."""
    n_scenarios, n_cells = risk_values.shape
    zone, size = _zone_template(n_scenarios), _cells_at_once(n_scenarios)
    for start in range(0, n_cells, size):
        rows = np.arange(start, min(start + size, n_cells))
        # The values of a cell follow each other.
        values = iter(json_numbers(risk_values[:, rows].T))
        for cell, *distribution in columns_as_json(columns.take(rows)):
            yield zone % (cell, cell, *distribution, *islice(values, n_scenarios))


def _cells_at_once(n_scenarios: int) -> int:
    return max(1, VALUES_AT_ONCE // n_scenarios)


@lru_cache(maxsize=16)
def _zone_template(n_scenarios: int) -> bytes:
    scenarios = (
        json_template(ScenarioValue, scenario_id=b"%d" % number)
        for number in range(n_scenarios)
    )
    return json_template(
        Zone,
        cell_id=b'"%d"',
        cell_hex=b'"%x"',
        distribution_params=json_template(DistributionParams),
        scenarios=b"[" + b",".join(scenarios) + b"]",
    )
