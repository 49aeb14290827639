"""Publish what the champion of a region says, and in its shadow the challengers."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from perf.cache.memory import ByteCache
from scoring.arrays import ForecastColumns, pack_columns, pack_scenarios
from scoring.engine.artifacts import load_artifact
from scoring.engine.errors import ArtifactError, EngineError
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid
from scoring.engine.horizons import distribution_of_longest
from scoring.engine.plausibility import plausible_total
from scoring.engine.simulation import ScenarioSet
from scoring.engine.snapshots import Snapshot
from scoring.errors import (
    ForecastRefusedError,
    ModelOutdatedError,
    ModelVersionNotFoundError,
)
from scoring.metrics import FORECASTS_PUBLISHED, FORECASTS_REFUSED
from scoring.models import Forecast, ForecastArrays, ModelVersion, Region
from scoring.selectors.events import extent_until_now, load_snapshot
from scoring.selectors.model_versions import find_champion, list_challengers
from scoring.selectors.regions import grid_of_region
from scoring.services.announcing import announce_forecasts
from scoring.services.regions import lock_region

# Where the last event is older than this, no source feeds the region any more.
LIVE_FOR = timedelta(days=7)
# Enough for the 99 % quantile of a portfolio's loss (see docs/adr/0003).
N_SCENARIOS = 10_000
# Of fitted models, as stored; they are about as large in memory.
FITTED_BYTES = 64 << 20

logger = logging.getLogger(__name__)


def issue_instant(region: Region) -> datetime:
    """Choose what moment the next forecasts are for.

    The present hour of a region that is fed; the first full minute after the last
    event of one that is not, so that the forecast knows it.
    """
    last = extent_until_now(region).last_occurred_at
    now = timezone.now()
    if last is None or now - last < LIVE_FOR:
        return now.replace(minute=0, second=0, microsecond=0)
    return minute_after(last)


def minute_after(moment: datetime) -> datetime:
    """Give the first full minute after a moment, so that a forecast then knows it."""
    whole = moment.astimezone(UTC).replace(second=0, microsecond=0)
    return whole + timedelta(minutes=1)


def renew_forecasts(
    region: Region, *, issued_for: datetime | None = None
) -> tuple[Forecast, ...]:
    """Publish the champion's forecasts, and those of challengers for comparison.

    Repeating it for the same moment changes nothing.

    Raises
    ------
    ModelVersionNotFoundError
        The region has no champion.
    ForecastRefusedError
        Some contradict the recent record; all others are published.
    """
    champion = find_champion(region)
    if champion is None:
        raise ModelVersionNotFoundError(
            f"Region {region.slug!r} has no champion. Fit a model version first, "
            f"with manage.py fit_model --region {region.slug}."
        )
    versions = (champion, *list_challengers(region))
    published = _publish_all(
        [(version, horizon) for version in versions for horizon in _horizons(version)],
        grid=grid_of_region(region),
        issued_for=issued_for or issue_instant(region),
    )
    return tuple(each for each in published if each.model_version == champion)


def publish_version(
    version: ModelVersion,
    *,
    grid: Grid,
    issued_for: datetime,
    horizons_sec: Iterable[int] | None = None,
) -> tuple[Forecast, ...]:
    """Publish one version for each of its horizons, the shortest first.

    Raises
    ------
    ForecastRefusedError
        Some contradict the recent record; those of the other horizons are published.
    """
    horizons = _horizons(version) if horizons_sec is None else horizons_sec
    runs = [(version, horizon_sec) for horizon_sec in horizons]
    return tuple(_publish_all(runs, grid=grid, issued_for=issued_for))


def _horizons(version: ModelVersion) -> list[int]:
    artifacts = version.artifacts.order_by("horizon_sec")
    return list(artifacts.values_list("horizon_sec", flat=True))


def _publish_all(
    runs: Iterable[tuple[ModelVersion, int]], *, grid: Grid, issued_for: datetime
) -> list[Forecast]:
    """Publish what can be published, then say what could not."""
    published, refused = [], []
    for version, horizon_sec in runs:
        try:
            forecast = publish_forecast(
                version, grid=grid, issued_for=issued_for, horizon_sec=horizon_sec
            )
            published.append(forecast)
        except ForecastRefusedError as error:
            refused.append(error)
    if refused:
        raise ForecastRefusedError(
            " ".join(error.message for error in refused),
            refused=[error.context for error in refused],
        )
    return published


@dataclass(frozen=True, slots=True)
class _Fitted:
    forecaster: Forecaster
    nbytes: int


# By the digest of the artifact: a new champion is another entry, and requests
# for the old one still find it.
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

    Raises
    ------
    ForecastRefusedError
        It cannot be made, or its total is implausible, given the recent
        record. Nothing is stored, so that the forecast before stays in service.
    """
    run = {
        "model_version": model_version,
        "issued_for": issued_for,
        "horizon_sec": horizon_sec,
    }
    if (existing := Forecast.objects.filter(**run).first()) is not None:
        return existing
    forecast = Forecast(**run, region=model_version.region, cell_count=len(grid))
    try:
        columns, scenarios = _computed(forecast, grid)
    except EngineError as error:
        reason = f"{model_version} cannot be used: {error}"
        raise _refused(model_version, reason) from error
    try:
        _store(forecast, columns, scenarios)
    except IntegrityError:
        # Another process was faster with the same run.
        return Forecast.objects.get(**run)
    FORECASTS_PUBLISHED.labels(model_version.kind).inc()
    return forecast


def _computed(forecast: Forecast, grid: Grid) -> tuple[ForecastColumns, ScenarioSet]:
    """Fill in the figures of a forecast and give its arrays."""
    version, issued_for = forecast.model_version, forecast.issued_for
    snapshot = load_snapshot(
        forecast.region, grid, instant=issued_for, since=version.trained_from
    )
    forecasters = [
        load_forecaster(version, horizon_sec)
        for horizon_sec in _horizons(version)
        if horizon_sec <= forecast.horizon_sec
    ]
    distribution, is_raised = distribution_of_longest(forecasters, snapshot)
    forecast.raised_cell_count = int(is_raised.sum())
    columns = ForecastColumns.of(grid.cells, distribution)
    calibration = forecasters[-1].calibration
    forecast.event_count = int(snapshot.aggregates.count.sum())
    forecast.expected_count = float(columns.mean.sum())
    forecast.region_alpha = calibration.region_alpha(columns.mean)
    forecast.correlation_range_km = calibration.spatial.range_km
    _require_plausible(forecast, snapshot)
    scenarios = forecasters[-1].scenarios(
        snapshot,
        n_scenarios=N_SCENARIOS,
        seed=run_seed(version, issued_for),
        forecast=distribution,
    )
    return columns, scenarios


def _require_plausible(forecast: Forecast, snapshot: Snapshot) -> None:
    """Hold the total against the record; see `scoring.engine.plausibility`."""
    horizon_sec, expected = forecast.horizon_sec, forecast.expected_count
    plausible = plausible_total(snapshot, horizon_s=horizon_sec)
    if plausible is None or plausible.allows(expected):
        return
    raise _refused(
        forecast.model_version,
        f"{forecast.model_version} expects {expected:.3g} events in "
        f"{horizon_sec // 3_600} h, but the last {plausible.n_windows} windows of this "
        f"length held {plausible.mean:.3g} on average ({plausible.smallest:.3g} in the "
        f"quietest stretch, {plausible.largest:.3g} in the busiest window), so that "
        f"{plausible.low:.3g} to {plausible.high:.3g} are plausible.",
        expected_count=expected,
        plausible=asdict(plausible),
    )


def _refused(
    version: ModelVersion, reason: str, **figures: Any
) -> ForecastRefusedError:
    """Count and log what is not published."""
    error = ForecastRefusedError(
        f"A forecast of region {version.region.slug!r} was not published: {reason} "
        "The one before stays in service. Check the events of the last days, then "
        "fit another model version with manage.py fit_model.",
        **figures,
    )
    FORECASTS_REFUSED.labels(version.kind).inc()
    logger.error("%s", error.message)
    return error


def run_seed(model_version: ModelVersion, issued_for: datetime) -> int:
    """Derive the seed from the run, so that repeating it gives the same scenarios."""
    key = f"{model_version.pk}/{issued_for.isoformat()}".encode()
    return int.from_bytes(hashlib.sha256(key).digest()[:7])


@transaction.atomic
def _store(
    forecast: Forecast, columns: ForecastColumns, scenarios: ScenarioSet
) -> None:
    version = forecast.model_version
    # In the transaction of the insert: the champion cannot change until its end.
    lock_region(version.region)
    champions = ModelVersion.objects.champions()
    forecast.is_shadow = not champions.filter(pk=version.pk).exists()
    forecast.save(force_insert=True)
    ForecastArrays.objects.create(
        forecast=forecast,
        body=pack_columns(columns),
        scenarios=pack_scenarios(scenarios),
    )
    if not forecast.is_shadow:
        announce_forecasts([forecast])


def load_forecaster(model_version: ModelVersion, horizon_sec: int) -> Forecaster:
    """Rebuild a forecaster from its artifact, or give the one this process has.

    Raises
    ------
    ModelOutdatedError
        Another version of the platform wrote the artifact, or it is damaged.
    """
    artifacts = model_version.artifacts.filter(horizon_sec=horizon_sec)
    digest = artifacts.values_list("digest", flat=True).get()

    def load() -> _Fitted:
        body = bytes(artifacts.values_list("body", flat=True).get())
        return _Fitted(load_artifact(body, digest=digest), len(body))

    try:
        return _fitted.get_or_compute(digest, load).forecaster
    except ArtifactError as error:
        slug = model_version.region.slug
        raise ModelOutdatedError(
            f"{error} `manage.py fit_model --region {slug} --promote REASON` "
            "fits it and puts it in service.",
            region=slug,
            model_version=str(model_version),
        ) from error
