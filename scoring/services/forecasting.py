"""Publish forecasts: features from ClickHouse, distributions from a model version."""

from datetime import datetime

import numpy as np
from django.db import transaction

from scoring.arrays import ForecastColumns, pack_columns
from scoring.engine.artifacts import load_artifact
from scoring.engine.distributions import CellDistribution
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid
from scoring.engine.snapshots import take_snapshot
from scoring.models import Forecast, ForecastArrays, ModelArtifact, ModelVersion
from scoring.services.events import load_aggregates


def publish_forecast(
    model_version: ModelVersion,
    *,
    grid: Grid,
    issued_for: datetime,
    horizon_sec: int,
) -> Forecast:
    """Forecast every cell from what was known at `issued_for`, and store it.

    Publishing the same run again returns the forecast that is there.
    """
    run = {
        "model_version": model_version,
        "issued_for": issued_for,
        "horizon_sec": horizon_sec,
    }
    if (existing := Forecast.objects.filter(**run).first()) is not None:
        return existing
    region = model_version.region
    aggregates = load_aggregates(region, grid, instant=issued_for)
    snapshot = take_snapshot(
        grid, aggregates, issued_for.timestamp(), timezone=region.timezone
    )
    forecaster = load_forecaster(model_version, horizon_sec)
    columns = _columns(grid, forecaster.distribution_at(snapshot))
    with transaction.atomic():
        forecast = Forecast.objects.create(
            **run,
            region=region,
            event_count=int(aggregates.count.sum()),
            cell_count=len(grid),
            expected_count=float(columns.mean.sum()),
        )
        ForecastArrays.objects.create(forecast=forecast, body=pack_columns(columns))
    return forecast


def load_forecaster(model_version: ModelVersion, horizon_sec: int) -> Forecaster:
    """Rebuild a forecaster from its artifact, whose digest is checked."""
    artifact = ModelArtifact.objects.get(
        model_version=model_version, horizon_sec=horizon_sec
    )
    return load_artifact(bytes(artifact.body), digest=artifact.digest)


def _columns(grid: Grid, distribution: CellDistribution) -> ForecastColumns:
    return ForecastColumns(
        cells=grid.cells,
        mean=distribution.mean,
        alpha=np.ascontiguousarray(distribution.alpha),
        p_event=distribution.p_event,
        q05=distribution.q05,
        q50=distribution.q50,
        q95=distribution.q95,
    )
