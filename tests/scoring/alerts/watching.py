"""A region with chosen hot cells, and rules that watch it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import h3.api.basic_int as h3
import numpy as np
from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from scoring.arrays import ForecastColumns, pack_columns, pack_scenarios
from scoring.engine.distributions import distribution_of
from scoring.models import AlertRule, Forecast, ForecastArrays, ModelVersion, Region
from tests.support.factories import (
    CENTRE,
    DAY_S,
    NO_EVENTS,
    RESOLUTION,
    make_model_version,
    make_organisation,
)

# Alerts open only on forecasts whose window is not over.
START = timezone.now().replace(minute=0, second=0, microsecond=0)
CENTRE_CELL = h3.latlng_to_cell(*CENTRE, RESOLUTION)
COLD = 0.001


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def line_of_cells(count: int = 7) -> list[int]:
    """Return cells in a row, each the neighbour of the next, in 3 rings."""
    ends = sorted(h3.grid_ring(CENTRE_CELL, 3))
    far = max(ends, key=lambda cell: h3.grid_distance(ends[0], cell))
    path = h3.grid_path_cells(ends[0], far)
    return list(path[:count])


def publish(
    region: Region,
    means: Mapping[int, float],
    *,
    hours: float = 0.0,
    horizon_sec: int = DAY_S,
    is_shadow: bool = False,
) -> Forecast:
    """Publish a forecast with these means, and next to nothing elsewhere."""
    cells = np.array(sorted(region.cells.values_list("h3", flat=True)), dtype=np.uint64)
    mean = np.array([means.get(cell, COLD) for cell in cells.tolist()])
    version = ModelVersion.objects.filter(region=region).first()
    forecast = Forecast.objects.create(
        region=region,
        model_version=version or make_model_version(region),
        issued_for=at(hours),
        horizon_sec=horizon_sec,
        event_count=1_000,
        cell_count=cells.size,
        expected_count=float(mean.sum()),
        region_alpha=0.1,
        is_shadow=is_shadow,
    )
    risk = distribution_of(mean, np.zeros(cells.size), 0.0)
    ForecastArrays.objects.create(
        forecast=forecast,
        body=pack_columns(ForecastColumns.of(cells, risk)),
        scenarios=pack_scenarios(replace(NO_EVENTS, n_cells=cells.size)),
    )
    return forecast


def make_rule(
    region: Region,
    *,
    organisation: Organisation | None = None,
    name: str = "Hot cells",
    metric: str = "expected_count",
    threshold: float = 0.5,
    **columns: Any,
) -> AlertRule:
    return AlertRule.objects.create(
        organisation=organisation or make_organisation(),
        name=name,
        region=region,
        horizon_sec=DAY_S,
        metric=metric,
        threshold=threshold,
        **columns,
    )
