"""From the events of a region to a model version and served forecasts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scoring.engine.grid import Grid
from scoring.errors import TooFewEventsError
from scoring.horizons import SERVED_HORIZONS_SEC
from scoring.metrics import FIT_SECONDS
from scoring.models import Forecast, ModelVersion, Region
from scoring.selectors.events import extent_until_now
from scoring.selectors.grids import grid_of_region
from scoring.selectors.model_versions import find_champion
from scoring.services.event_import import grow_region
from scoring.services.forecasts.publishing import publish_version
from scoring.services.registry.promotion import promote
from scoring.services.registry.training import TrainingPlan, train_model_version

MIN_EVENTS = 200
SERVED_KIND = "ensemble"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRegion:
    """`model_version` is the one just fitted, `forecasts` are those now served."""

    model_version: ModelVersion
    forecasts: tuple[Forecast, ...]
    grid: Grid
    event_count: int
    fit_seconds: float
    forecast_seconds: float


def fit_model(
    region: Region,
    *,
    kind: str = SERVED_KIND,
    forced_because: str = "",
    progress: Progress = lambda _: None,
) -> FittedRegion:
    """Fit a model version on all events and publish a forecast for each horizon.

    The forecasts are issued for the first full minute after the last event, so that
    it is known to them. Where the region has a champion, they are its forecasts and
    the new version stays a candidate, unless it is `forced_because` of something.

    Raises
    ------
    TooFewEventsError
        The region has fewer than `MIN_EVENTS` events, or no horizon can be fitted.
    ForecastRefusedError
        A forecast contradicts the recent record; the new version stays a candidate.
    """
    issued_for, event_count = _instant_after_last_event(region)
    grow_region(region)
    grid = grid_of_region(region)
    started = time.perf_counter()
    plan = TrainingPlan(
        grid=grid, until=issued_for, horizons_sec=SERVED_HORIZONS_SEC, kind=kind
    )
    model_version = train_model_version(region, plan=plan, progress=progress)
    fitted = time.perf_counter()
    FIT_SECONDS.labels(kind).observe(fitted - started)
    forecasts = _serve(model_version, grid, issued_for, forced_because, progress)
    return FittedRegion(
        model_version=model_version,
        forecasts=forecasts,
        grid=grid,
        event_count=event_count,
        fit_seconds=fitted - started,
        forecast_seconds=time.perf_counter() - fitted,
    )


def _instant_after_last_event(region: Region) -> tuple[datetime, int]:
    extent = extent_until_now(region)
    if extent.last_occurred_at is None or extent.count < MIN_EVENTS:
        raise TooFewEventsError(
            f"Region {region.slug!r} has {extent.count} events; a model needs "
            f"{MIN_EVENTS}. Import more with manage.py import_events.",
            region=region.slug,
        )
    last = extent.last_occurred_at.astimezone(UTC)
    return last.replace(second=0, microsecond=0) + timedelta(minutes=1), extent.count


def _serve(
    fitted: ModelVersion,
    grid: Grid,
    issued_for: datetime,
    forced_because: str,
    progress: Progress,
) -> tuple[Forecast, ...]:
    champion = find_champion(fitted.region)
    if champion is not None and not forced_because:
        return publish_version(champion, grid=grid, issued_for=issued_for)
    progress(f"Forecasting for {len(grid)} cells")
    forecasts = publish_version(fitted, grid=grid, issued_for=issued_for)
    promote(fitted, actor="refresh", forced_because=forced_because)
    for forecast in forecasts:
        forecast.refresh_from_db(fields=("is_shadow", "served_at"))
    return forecasts
