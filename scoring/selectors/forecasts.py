"""Reads of forecasts, of their cells, and of how they did."""

import re
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import (
    OuterRef,
    QuerySet,
    Subquery,
)
from numpy.typing import NDArray

from analytics.grid import Bounds
from perf.cache.remembered import Remembered
from perf.cache.shared_arrays import SharedArrays
from riskplatform.api.keys.access import Access, regions_seen
from riskplatform.kernel.errors import InvalidInputError
from riskplatform.kernel.instants import utc_text
from scoring import change_names
from scoring.arrays import (
    ForecastColumns,
    named_arrays,
    unpack_columns,
    unpack_scenarios,
)
from scoring.engine.simulation import ScenarioSet
from scoring.errors import ForecastNotFoundError, HorizonNotPassedError, require
from scoring.models import (
    Forecast,
    ForecastArrays,
    ForecastSkill,
    ModelVersion,
    Region,
)
from scoring.models.forecast import ForecastQuerySet
from scoring.selectors.regions import centres_of

# Of a query that has a region and a horizon: the newest forecast served for both.
NEWEST_FORECAST = Subquery(
    Forecast.objects.filter(
        region=OuterRef("region"), horizon_sec=OuterRef("horizon_sec")
    )
    .served()
    .newest_first()
    .values("pk")[:1]
)
VERSION_NUMBER = re.compile(r"[0-9]{1,9}")
# More than a caller goes back, a day of forecasts every half hour.
MOST_NEWEST = 48
# A forecast never changes, so what it says is unpacked once a machine.
COLUMNS = SharedArrays("forecast_columns", schema=2)


def get_latest_forecast(
    region: Region,
    *,
    horizon_sec: int,
    moment: datetime | None = None,
    model_version: ModelVersion | None = None,
) -> Forecast:
    """Return the newest forecast of a horizon, as issued at or before `moment`.

    Raises
    ------
    ForecastNotFoundError
        Says which horizons the region has.
    """
    latest, is_all_known = None, False
    if NEWEST.is_usable:
        newest = NEWEST.get((region.pk, region.slug, horizon_sec))
        meant = (it for it in newest if _is_meant(it, moment, model_version))
        latest, is_all_known = next(meant, None), len(newest) < MOST_NEWEST
    if latest is None and not is_all_known:
        served = _served(region.pk, horizon_sec)
        if moment is not None:
            served = served.issued_by(moment)
        if model_version is not None:
            served = served.filter(model_version=model_version)
        latest = served.first()
    if latest is None:
        raise _no_forecast(region, horizon_sec, moment, model_version)
    return latest


def _is_meant(
    forecast: Forecast, moment: datetime | None, version: ModelVersion | None
) -> bool:
    is_known = moment is None or forecast.issued_for <= moment
    return is_known and (version is None or forecast.model_version_id == version.pk)


def _served(region_id: int, horizon_sec: int) -> ForecastQuerySet:
    return (
        Forecast.objects.filter(region_id=region_id)
        .served()
        .for_horizon(horizon_sec)
        .newest_first()
        .select_related("model_version", "region")
        .defer("region__boundary", "model_version__skill", "model_version__notes")
    )


def find_newest_served(region_id: int, horizon_sec: int) -> Forecast | None:
    """Read the newest forecast from its table, whatever is remembered."""
    return _served(region_id, horizon_sec).first()


def _read_newest(key: tuple[int, str, int]) -> tuple[Forecast, ...]:
    region_id, _, horizon_sec = key
    return tuple(_served(region_id, horizon_sec)[:MOST_NEWEST])


# The newest forecasts of a region, by its key and name, and of a horizon.
NEWEST: Remembered[tuple[int, str, int], tuple[Forecast, ...]] = Remembered(
    "newest_forecasts",
    read=_read_newest,
    names_of=lambda key: {change_names.forecasts_of(key[1])},
    max_values=1_000,
)


def horizons_of(region: Region) -> list[int]:
    """Give the horizons for which forecasts of a region are served, ascending."""
    served = Forecast.objects.of_region(region).served().order_by("horizon_sec")
    return list(served.values_list("horizon_sec", flat=True).distinct())


def list_latest_forecasts(region: Region) -> QuerySet[Forecast]:
    """Return the newest forecast of each horizon, shortest first: one query."""
    return (
        Forecast.objects.of_region(region)
        .filter(pk=NEWEST_FORECAST)
        .select_related("model_version")
        .order_by("horizon_sec")
    )


def get_columns(forecast: Forecast) -> ForecastColumns:
    """Return what a forecast says of each cell; the arrays are shared, so only read."""
    arrays = COLUMNS.get_or_compute(
        (forecast.pk,), lambda: named_arrays(_unpacked_columns(forecast))
    )
    return ForecastColumns(**arrays)


def get_scenarios(forecast: Forecast) -> ScenarioSet:
    """Return the joint scenarios of a forecast, which all portfolios share."""
    bodies = ForecastArrays.objects.values_list("scenarios", flat=True)
    return unpack_scenarios(bytes(bodies.get(forecast=forecast)))


def riskiest_first(columns: ForecastColumns, *, limit: int) -> ForecastColumns:
    """Keep the cells with the highest probability; ties go by cell index."""
    order = np.lexsort((columns.cells, -columns.p_event))
    return columns.take(order[:limit])


def _unpacked_columns(forecast: Forecast) -> ForecastColumns:
    body = ForecastArrays.objects.values_list("body", flat=True).get(forecast=forecast)
    return unpack_columns(bytes(body))


def _no_forecast(
    region: Region,
    horizon_sec: int,
    moment: datetime | None,
    model_version: ModelVersion | None,
) -> ForecastNotFoundError:
    horizons = horizons_of(region)
    known = ", ".join(str(horizon) for horizon in horizons) or "none"
    when = "" if moment is None else f" issued by {utc_text(moment)}"
    whose = "" if model_version is None else f" of {model_version}"
    return ForecastNotFoundError(
        f"Region {region.slug!r} has no forecast for {horizon_sec} s{whose}{when}. "
        f"Horizons there: {known}.",
        region=region.slug,
        horizons=horizons,
    )


def risk_map_rows(
    columns: ForecastColumns, *, bbox: Bounds | None = None, min_p: float = 0.0
) -> NDArray[np.int64]:
    """Find the cells with `p_event` of at least `min_p` and their centre in the box."""
    keep = columns.p_event >= min_p
    if bbox is not None:
        keep &= _are_inside(bbox, *centres_of(columns.cells))
    return np.flatnonzero(keep)


def _are_inside(
    bbox: Bounds, lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> NDArray[np.bool_]:
    if bbox.west <= bbox.east:
        is_between = (lon >= bbox.west) & (lon <= bbox.east)
    else:
        is_between = (lon >= bbox.west) | (lon <= bbox.east)
    return is_between & (lat >= bbox.south) & (lat <= bbox.north)


def list_forecasts(
    access: Access,
    *,
    region: Region | None = None,
    versions: QuerySet[ModelVersion] | None = None,
    horizon_sec: int | None = None,
    is_shadow: bool | None = None,
) -> QuerySet[Forecast]:
    given = {
        "region": region,
        "model_version__in": versions,
        "horizon_sec": horizon_sec,
        "is_shadow": is_shadow,
    }
    filters = {name: value for name, value in given.items() if value is not None}
    return (
        Forecast.objects.filter(regions_seen(access, at="region__"), **filters)
        .select_related("region", "model_version", "skill")
        .defer("region__boundary", "model_version__skill")
    )


def versions_named(text: str) -> QuerySet[ModelVersion]:
    """Find the model versions of a name, one a region, or that of an id.

    Raises
    ------
    InvalidInputError
        It is neither.
    """
    kind, _, number = text.rpartition("-")
    if VERSION_NUMBER.fullmatch(number) and kind:
        return ModelVersion.objects.filter(kind=kind, number=int(number))
    try:
        return ModelVersion.objects.filter(pk=UUID(text))
    except ValueError:
        raise InvalidInputError(
            f"{text!r} is no model version. Write its name, such as ensemble-4, or its"
            " id.",
            field="model_version",
        ) from None


def get_forecast(forecast_id: UUID, *, access: Access) -> Forecast:
    return require(
        list_forecasts(access).filter(pk=forecast_id).first(),
        ForecastNotFoundError(f"There is no forecast {forecast_id}."),
    )


def scored_after(forecast: Forecast) -> datetime:
    """Say when the outcome counts as complete: events may arrive late."""
    embargo = timedelta(seconds=settings.FORECAST_EMBARGO_S)
    return forecast.valid_until + embargo


def get_forecast_skill(forecast: Forecast) -> ForecastSkill:
    """Return how a forecast did.

    Raises
    ------
    HorizonNotPassedError
        It has not been scored yet.
    """
    found = ForecastSkill.objects.filter(forecast=forecast).first()
    if found is None:
        due_at = scored_after(forecast)
        raise HorizonNotPassedError(
            "The outcome of the forecast is not known yet. It is scored after "
            f"{utc_text(due_at)}, once the record of events reaches beyond "
            f"{utc_text(forecast.valid_until)}.",
            scored_after=utc_text(due_at),
        )
    return found
