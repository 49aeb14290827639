"""Publish what the champion of a region says, and in its shadow the challengers."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from scoring.engine.grid import Grid
from scoring.errors import ForecastRefusedError, ModelVersionNotFoundError
from scoring.models import Forecast, ModelVersion, Region
from scoring.selectors.events import extent_until_now
from scoring.selectors.grids import grid_of_region
from scoring.selectors.model_versions import find_champion, list_challengers
from scoring.services.forecasts.forecasting import publish_forecast

# Where the last event is older than this, no source feeds the region any more.
LIVE_FOR = timedelta(days=7)


def issue_instant(region: Region) -> datetime:
    """Choose what moment the next forecasts are for.

    The present hour of a region that is fed; the first full minute after the last
    event of one that is not, so that the forecast knows it.
    """
    last = extent_until_now(region).last_occurred_at
    now = timezone.now()
    if last is None or now - last < LIVE_FOR:
        return now.replace(minute=0, second=0, microsecond=0)
    whole = last.astimezone(UTC).replace(second=0, microsecond=0)
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
    grid = grid_of_region(region)
    moment = issued_for or issue_instant(region)
    versions = (champion, *list_challengers(region))
    runs = [
        (version, horizon) for version in versions for horizon in _horizons(version)
    ]
    published = _publish_all(runs, grid=grid, issued_for=moment)
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
