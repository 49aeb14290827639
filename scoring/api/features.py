"""Features of cells: those that models look at, and sums over chosen windows."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Self

import numpy as np
from msgspec import Meta, Struct
from rest_framework.request import Request

from analytics.grid import CellDigits
from analytics.store.event_changes import names_of
from perf.cache.edge.policy import EdgePolicy, depends_on
from perf.cache.lifetimes import QUERY_RESULT_TTL_S
from perf.deadlines import watched
from riskplatform.api.cost import Product, check_cost
from riskplatform.api.endpoints import Router
from riskplatform.api.inputs import refuse_repeats
from riskplatform.api.keys.access import READ_REGIONS
from riskplatform.api.keys.permissions import has_right
from riskplatform.api.renderers import Rows, finite_list
from riskplatform.kernel.instants import AwareTime
from scoring import change_names
from scoring.api.access import find_region, parse_cell_ids, region_of_request
from scoring.api.schemas import MAX_CELLS, CellId, HorizonSec, Slug
from scoring.cell_ids import hex_of
from scoring.horizons import DAY_S
from scoring.models import Region
from scoring.selectors.events import (
    FeatureSnapshot,
    WindowFeatures,
    build_windows,
    take_feature_snapshot,
)

router = Router()
READERS = has_right(READ_REGIONS)
# ClickHouse adds in any order; what rounding hides would be a new answer each time.
DECIMALS: Final = 9
# Of a cell and a window in the answer.
BYTES_OF_WINDOW: Final = 400
MAX_WINDOWS: Final = 20
LONGEST_WINDOW_S: Final = 3_660 * DAY_S

WindowSec = Annotated[int, Meta(ge=1, le=LONGEST_WINDOW_S)]
KnownAt = Annotated[
    AwareTime | None,
    Meta(
        description="Events that arrived later are left out; `time` where not given."
        " An imported history arrived when it was imported."
    ),
]


class FeatureSnapshotQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    time: AwareTime
    horizon_sec: HorizonSec | None = None
    known_at: KnownAt = None


class WindowRequest(Struct, forbid_unknown_fields=True):
    cell_ids: Annotated[list[CellId], Meta(min_length=1, max_length=MAX_CELLS)]
    time: AwareTime
    window_sizes_sec: Annotated[
        list[WindowSec], Meta(min_length=1, max_length=MAX_WINDOWS)
    ]
    region: Slug | None = None
    known_at: KnownAt = None


class CellFeatures(Struct):
    cell_id: CellDigits
    cell_hex: str
    window_start: AwareTime
    window_end: AwareTime
    feature_vector: dict[str, float | None]

    @classmethod
    def of(
        cls,
        cell: int,
        start: datetime,
        end: datetime,
        vector: dict[str, float | None],
    ) -> Self:
        return cls(
            cell_id=str(cell),
            cell_hex=hex_of(cell),
            window_start=start,
            window_end=end,
            feature_vector=vector,
        )


class FeatureSnapshotAnswer(Struct):
    region: str
    time: AwareTime
    known_at: AwareTime
    horizon_sec: int | None
    features: list[CellFeatures]


class WindowAnswer(Struct):
    region: str
    time: AwareTime
    known_at: AwareTime
    features: list[CellFeatures]


@router.get("features/snapshot", READERS, edge=EdgePolicy(ttl_s=QUERY_RESULT_TTL_S))
def features_snapshot(
    request: Request, query: FeatureSnapshotQuery
) -> Rows[FeatureSnapshotAnswer]:
    """Give the features of every cell as known at `time`.

    They are the features that `score-snapshot` takes; each depends on all events
    before `time`, whatever the horizon.
    """
    time = query.time.astimezone(UTC)
    known_at = (query.known_at or time).astimezone(UTC)
    region = find_region(request, query.region)
    _note_dependencies(request, region)
    snapshot = take_feature_snapshot(region, instant=time, known_at=known_at)
    answer = FeatureSnapshotAnswer(
        region=region.slug,
        time=time,
        known_at=known_at,
        horizon_sec=query.horizon_sec,
        features=[],
    )
    return Rows(answer, watched(_snapshot_rows(snapshot, time)))


@router.post(
    "features/build-window",
    READERS,
    edge=EdgePolicy(ttl_s=QUERY_RESULT_TTL_S, method="POST"),
)
def features_build_window(request: Request, body: WindowRequest) -> Rows[WindowAnswer]:
    """Sum the events of chosen cells over windows that end at `time`.

    `count` and `rate_per_day` are of the window; `excitation` weighs all events
    before `time` by exp(-age / window); `total` and `days_since_last` are of all
    time. One row a cell and window, in the order given.
    """
    time = body.time.astimezone(UTC)
    known_at = (body.known_at or time).astimezone(UTC)
    check_cost(
        request,
        Product(
            factors={
                "cells": len(body.cell_ids),
                "windows": len(body.window_sizes_sec),
            },
            bytes_each=BYTES_OF_WINDOW,
            field="cell_ids",
            advice="Ask for fewer cells or fewer windows.",
        ),
    )
    cells = parse_cell_ids(body.cell_ids, "cell_ids")
    refuse_repeats(body.window_sizes_sec, "window_sizes_sec")
    region = region_of_request(request, body.region, cells)
    _note_dependencies(request, region)
    features = build_windows(
        region,
        cells=cells,
        instant=time,
        windows_s=body.window_sizes_sec,
        known_at=known_at,
    )
    answer = WindowAnswer(region=region.slug, time=time, known_at=known_at, features=[])
    return Rows(answer, watched(_window_rows(features, cells, body)))


def _note_dependencies(request: Request, region: Region) -> None:
    """Declare the events and the cells of a region as dependencies."""
    forecasts = change_names.forecasts_of(region.slug)
    depends_on(request, change_names.REGIONS, forecasts, *names_of([region.slug]))


def _snapshot_rows(
    snapshot: FeatureSnapshot, instant: datetime
) -> Iterator[CellFeatures]:
    cells, features = snapshot.cells.tolist(), np.round(snapshot.features, DECIMALS)
    for cell, row in zip(cells, features, strict=True):
        vector: dict[str, float | None] = dict(
            zip(snapshot.names, finite_list(row), strict=True)
        )
        yield CellFeatures.of(cell, snapshot.window_start, instant, vector)


def _window_rows(
    features: WindowFeatures, cells: list[int], body: WindowRequest
) -> Iterator[CellFeatures]:
    counts, time = features.count.tolist(), body.time.astimezone(UTC)
    excitations = np.round(features.excitation, DECIMALS).tolist()
    for index, cell in enumerate(cells):
        days = float(features.days_since_last[index])
        for position, window_s in enumerate(body.window_sizes_sec):
            vector = {
                "count": counts[index][position],
                "rate_per_day": counts[index][position] * DAY_S / window_s,
                "excitation": excitations[index][position],
                "total": float(features.total[index]),
                "days_since_last": None if math.isnan(days) else days,
            }
            start = time - timedelta(seconds=window_s)
            yield CellFeatures.of(cell, start, time, vector)
