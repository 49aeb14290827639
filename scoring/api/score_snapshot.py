"""POST /score-snapshot: distributions and joint scenarios of chosen cells."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from numpy.typing import NDArray
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from perf.cache.edge.policy import EdgePolicy
from perf.cache.lifetimes import MODEL_PREDICTION_TTL_S
from perf.deadlines import watched
from riskplatform.api.cost import Product, check_cost
from riskplatform.api.inputs import body_schema, decode_body, refuse_repeats
from riskplatform.api.renderers import finite_list, rows_response
from scoring import change_names
from scoring.api.access import by_region, depends_on_region, region_asked_about
from scoring.api.risk_map import forecast_header
from scoring.api.schemas import Snapshot, SnapshotRequest
from scoring.arrays import ForecastColumns
from scoring.cell_ids import hex_of, parse_cell_id
from scoring.selectors.forecasts import get_latest_forecast
from scoring.services.forecasts.snapshots import score_cells

# A scenario and its value; what the cell itself takes is a part of it.
BYTES_OF_VALUE: Final = 60
VALUES_AT_ONCE: Final = 20_000


class ScoreSnapshotView(APIView):
    """Public regions are open to everybody; the selectors leave out the others."""

    permission_classes = (AllowAny,)
    edge = EdgePolicy(ttl_s=MODEL_PREDICTION_TTL_S, method="POST", audience=by_region)

    @extend_schema(
        operation_id="score_snapshot",
        request={"application/json": body_schema(SnapshotRequest)},
        responses={(200, "application/json"): body_schema(Snapshot)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Score cells from the newest forecast issued at or before `time`.

        A cell that brings its own features is scored from them instead.
        """
        asked = decode_body(request, SnapshotRequest)
        check_cost(
            request,
            Product(
                factors={"cells": len(asked.cells), "scenarios": asked.n_scenarios},
                bytes_each=BYTES_OF_VALUE,
                values_each=1,
                pointer="/cells",
                advice="Ask for fewer cells or fewer scenarios.",
            ),
        )
        cells = [
            parse_cell_id(cell.cell_id, pointer=f"/cells/{index}/cell_id")
            for index, cell in enumerate(asked.cells)
        ]
        refuse_repeats(cells, "/cells", member="/cell_id")
        region = region_asked_about(request, asked.region, cells)
        is_named = asked.region is not None
        depends_on_region(request, region, change_names.REGIONS, is_named=is_named)
        forecast = get_latest_forecast(
            region, horizon_sec=asked.horizon_sec, moment=asked.time
        )
        scored = score_cells(
            forecast,
            cells=cells,
            features=[cell.features for cell in asked.cells],
            n_scenarios=asked.n_scenarios,
        )
        return rows_response(
            forecast_header(region, forecast),
            "zones",
            watched(_zones(scored.columns, scored.risk_values), every=1),
            rows_at_once=max(1, VALUES_AT_ONCE // asked.n_scenarios),
        )


def _zones(
    columns: ForecastColumns, risk_values: NDArray[np.float64]
) -> Iterator[dict[str, Any]]:
    for row, cell in enumerate(columns.cells.tolist()):
        yield {
            "cell_id": cell,
            "cell_hex": hex_of(cell),
            "distribution_params": {
                "p_event": float(columns.p_event[row]),
                "q05": float(columns.q05[row]),
                "q50": float(columns.q50[row]),
                "q95": float(columns.q95[row]),
            },
            "scenarios": [
                {"scenario_id": scenario, "risk_value": value}
                for scenario, value in enumerate(finite_list(risk_values[:, row]))
            ],
        }
