"""Publish forecasts: features from ClickHouse, distributions from a model version."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from perf.cache.memory import ByteCache
from riskplatform.kernel.changes import announce
from scoring import change_names
from scoring.arrays import ForecastColumns, pack_columns, pack_scenarios
from scoring.engine.artifacts import load_artifact
from scoring.engine.errors import ArtifactError
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid
from scoring.engine.horizons import distribution_of_longest
from scoring.engine.simulation import ScenarioSet
from scoring.engine.snapshots import Snapshot, take_snapshot
from scoring.errors import ModelOutdatedError
from scoring.metrics import FORECASTS_PUBLISHED
from scoring.models import Forecast, ForecastArrays, ModelArtifact, ModelVersion, Region
from scoring.services.events import load_aggregates
from scoring.services.registry.versions import is_champion_now

# Enough for the 99 % quantile of a portfolio's loss (see docs/adr/0003).
N_SCENARIOS = 10_000
# Of fitted models, as stored; they are about as large in memory.
FITTED_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class _Fitted:
    forecaster: Forecaster
    nbytes: int


# By the digest of the artifact: a new champion is another entry, and whoever still
# asks for the old one is answered by it.
_fitted: ByteCache[_Fitted] = ByteCache("fitted_models", max_bytes=FITTED_BYTES)


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
    snapshot = _snapshot_at(region, grid, issued_for)
    forecasters = _load_up_to(model_version, horizon_sec)
    distribution = distribution_of_longest(forecasters, snapshot)
    columns = ForecastColumns.of(grid.cells, distribution)
    seed = run_seed(model_version, issued_for)
    scenarios = forecasters[-1].scenarios(
        snapshot, n_scenarios=N_SCENARIOS, seed=seed, forecast=distribution
    )
    calibration = forecasters[-1].calibration
    forecast = Forecast(
        **run,
        region=region,
        event_count=int(snapshot.aggregates.count.sum()),
        cell_count=len(grid),
        expected_count=float(columns.mean.sum()),
        region_alpha=calibration.region_alpha(columns.mean),
        correlation_range_km=calibration.spatial.range_km,
    )
    _store(forecast, columns, scenarios)
    FORECASTS_PUBLISHED.labels(model_version.kind).inc()
    return forecast


def run_seed(model_version: ModelVersion, issued_for: datetime) -> int:
    """Derive the seed from the run, so that repeating it gives the same scenarios."""
    key = f"{model_version.pk}/{issued_for.isoformat()}".encode()
    return int.from_bytes(hashlib.sha256(key).digest()[:7])


@transaction.atomic
def _store(
    forecast: Forecast, columns: ForecastColumns, scenarios: ScenarioSet
) -> None:
    # In the transaction of the insert: nobody switches champions until its end.
    forecast.is_shadow = not is_champion_now(forecast.model_version)
    forecast.save(force_insert=True)
    ForecastArrays.objects.create(
        forecast=forecast,
        body=pack_columns(columns),
        scenarios=pack_scenarios(scenarios),
    )
    if not forecast.is_shadow:
        announce(change_names.forecasts_of(forecast.region.slug))


def load_forecaster(model_version: ModelVersion, horizon_sec: int) -> Forecaster:
    """Rebuild a forecaster from its artifact, or give the one this process has.

    Raises
    ------
    ModelOutdatedError
        Another version of the platform wrote the artifact, or it is damaged.
    """
    artifact = ModelArtifact.objects.defer("body").get(
        model_version=model_version, horizon_sec=horizon_sec
    )
    digest = artifact.digest
    try:
        return _fitted.get_or_compute(digest, lambda: _load(digest)).forecaster
    except ArtifactError as error:
        slug = model_version.region.slug
        raise ModelOutdatedError(
            f"{error} `manage.py refresh_forecasts --region {slug} --promote REASON` "
            "fits it and puts it in service.",
            region=slug,
            model_version=str(model_version),
        ) from error


def _load(digest: str) -> _Fitted:
    """Check the artifact and read it; the digest says that it is still the same."""
    bodies = ModelArtifact.objects.filter(digest=digest).values_list("body", flat=True)
    body = bytes(bodies[:1].get())
    return _Fitted(load_artifact(body, digest=digest), len(body))


def _load_up_to(model_version: ModelVersion, horizon_sec: int) -> list[Forecaster]:
    """Rebuild the forecasters of all horizons up to one, the shortest first."""
    shorter = model_version.artifacts.filter(horizon_sec__lt=horizon_sec)
    horizons = shorter.order_by("horizon_sec").values_list("horizon_sec", flat=True)
    return [load_forecaster(model_version, each) for each in (*horizons, horizon_sec)]


def _snapshot_at(region: Region, grid: Grid, instant: datetime) -> Snapshot:
    aggregates = load_aggregates(region, grid, instant=instant)
    return take_snapshot(
        grid, aggregates, instant.timestamp(), timezone=region.timezone
    )
