"""Features of cells: those that models look at, and sums over chosen windows."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from analytics.store.event_changes import names_of
from perf.cache.edge.policy import EdgePolicy, depends_on
from perf.cache.lifetimes import QUERY_RESULT_TTL_S
from perf.deadlines import watched
from riskplatform.api.cost import Product, check_cost
from riskplatform.api.inputs import (
    body_schema,
    decode_body,
    decode_query,
    query_parameters,
    refuse_repeats,
)
from riskplatform.api.keys.access import READ_REGIONS
from riskplatform.api.keys.permissions import has_right
from riskplatform.api.renderers import finite_list, rows_response
from scoring import change_names
from scoring.api.access import find_region, region_asked_about
from scoring.api.feature_schemas import (
    FeatureSnapshotAnswer,
    FeatureSnapshotQuery,
    WindowAnswer,
    WindowRequest,
)
from scoring.cell_ids import hex_of, parse_cell_id
from scoring.horizons import DAY_S
from scoring.models import Region
from scoring.selectors.feature_windows import (
    FeatureSnapshot,
    WindowFeatures,
    build_windows,
    take_feature_snapshot,
)

# ClickHouse adds in any order; what rounding hides would be a new answer each time.
DECIMALS = 9
# Of a cell and a window in the answer.
BYTES_OF_WINDOW = 400


class FeatureSnapshotView(APIView):
    permission_classes = (has_right(READ_REGIONS),)
    edge = EdgePolicy(ttl_s=QUERY_RESULT_TTL_S)

    @extend_schema(
        operation_id="features_snapshot",
        parameters=query_parameters(FeatureSnapshotQuery),
        responses={(200, "application/json"): body_schema(FeatureSnapshotAnswer)},
    )
    def get(self, request: Request) -> HttpResponse:
        """Give the features of every cell as known at `time`.

        They are the features that `score-snapshot` takes; each rests on all events
        before `time`, whatever the horizon.
        """
        query = decode_query(request, FeatureSnapshotQuery)
        known_at = query.known_at or query.time
        region = find_region(request, query.region)
        _note_rest(request, region)
        snapshot = take_feature_snapshot(region, instant=query.time, known_at=known_at)
        head = {
            "region": region.slug,
            "time": query.time,
            "known_at": known_at,
            "horizon_sec": query.horizon_sec,
        }
        rows = _snapshot_rows(snapshot, query.time)
        return rows_response(head, "features", watched(rows))


class WindowFeaturesView(APIView):
    permission_classes = (has_right(READ_REGIONS),)
    edge = EdgePolicy(ttl_s=QUERY_RESULT_TTL_S, method="POST")

    @extend_schema(
        operation_id="features_build_window",
        request={"application/json": body_schema(WindowRequest)},
        responses={(200, "application/json"): body_schema(WindowAnswer)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Sum the events of chosen cells over windows that end at `time`.

        `count` and `rate_per_day` are of the window; `excitation` weighs all events
        before `time` by exp(-age / window); `total` and `days_since_last` are of all
        time. One row a cell and window, in the order asked for.
        """
        asked = decode_body(request, WindowRequest)
        known_at = asked.known_at or asked.time
        check_cost(
            request,
            Product(
                factors={
                    "cells": len(asked.cell_ids),
                    "windows": len(asked.window_sizes_sec),
                },
                bytes_each=BYTES_OF_WINDOW,
                pointer="/cell_ids",
                advice="Ask for fewer cells or fewer windows.",
            ),
        )
        cells = _cells(asked)
        region = region_asked_about(request, asked.region, cells)
        _note_rest(request, region)
        features = build_windows(
            region,
            cells=cells,
            instant=asked.time,
            windows_s=asked.window_sizes_sec,
            known_at=known_at,
        )
        head = {"region": region.slug, "time": asked.time, "known_at": known_at}
        rows = _window_rows(features, cells, asked)
        return rows_response(head, "features", watched(rows))


def _note_rest(request: Request, region: Region) -> None:
    """Features rest on the events and on the cells of a region."""
    forecasts = change_names.forecasts_of(region.slug)
    depends_on(request, change_names.REGIONS, forecasts, *names_of([region.slug]))


def _cells(asked: WindowRequest) -> list[int]:
    cells = [
        parse_cell_id(cell, pointer=f"/cell_ids/{index}")
        for index, cell in enumerate(asked.cell_ids)
    ]
    refuse_repeats(cells, "/cell_ids")
    refuse_repeats(asked.window_sizes_sec, "/window_sizes_sec")
    return cells


def _snapshot_rows(
    snapshot: FeatureSnapshot, instant: datetime
) -> Iterator[dict[str, Any]]:
    cells, features = snapshot.cells.tolist(), np.round(snapshot.features, DECIMALS)
    for cell, row in zip(cells, features, strict=True):
        vector: dict[str, float | None] = dict(
            zip(snapshot.names, finite_list(row), strict=True)
        )
        yield _row(cell, snapshot.window_start, instant, vector)


def _window_rows(
    features: WindowFeatures, cells: Sequence[int], asked: WindowRequest
) -> Iterator[dict[str, Any]]:
    counts = features.count.tolist()
    excitations = np.round(features.excitation, DECIMALS).tolist()
    for index, cell in enumerate(cells):
        days = float(features.days_since_last[index])
        for place, window_s in enumerate(asked.window_sizes_sec):
            vector = {
                "count": counts[index][place],
                "rate_per_day": counts[index][place] * DAY_S / window_s,
                "excitation": excitations[index][place],
                "total": float(features.total[index]),
                "days_since_last": None if math.isnan(days) else days,
            }
            start = asked.time - timedelta(seconds=window_s)
            yield _row(cell, start, asked.time, vector)


def _row(
    cell: int, start: datetime, end: datetime, vector: dict[str, float | None]
) -> dict[str, Any]:
    return {
        "cell_id": cell,
        "cell_hex": hex_of(cell),
        "window_start": start,
        "window_end": end,
        "feature_vector": vector,
    }
