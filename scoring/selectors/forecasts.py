"""Reads of stored forecasts."""

from datetime import datetime

import numpy as np
from django.db.models import OuterRef, QuerySet, Subquery

from perf.cache.shared_arrays import SharedArrays
from scoring.arrays import (
    ForecastColumns,
    named_arrays,
    unpack_columns,
    unpack_scenarios,
)
from scoring.engine.simulation import ScenarioSet
from scoring.errors import ForecastNotFoundError
from scoring.models import Forecast, ForecastArrays, ModelVersion, Region

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
    forecasts = Forecast.objects.of_region(region).served().for_horizon(horizon_sec)
    if moment is not None:
        forecasts = forecasts.issued_by(moment)
    if model_version is not None:
        forecasts = forecasts.filter(model_version=model_version)
    latest = forecasts.newest_first().select_related("model_version").first()
    if latest is None:
        raise _no_forecast(region, horizon_sec, moment, model_version)
    return latest


def list_latest_forecasts(region: Region) -> QuerySet[Forecast]:
    """Return the newest forecast of each horizon, shortest first: one query."""
    newest = (
        Forecast.objects.filter(
            region=OuterRef("region"), horizon_sec=OuterRef("horizon_sec")
        )
        .served()
        .newest_first()
        .values("pk")[:1]
    )
    return (
        Forecast.objects.of_region(region)
        .filter(pk=Subquery(newest))
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
    horizons = sorted(
        Forecast.objects.of_region(region)
        .served()
        .order_by()
        .values_list("horizon_sec", flat=True)
        .distinct()
    )
    known = ", ".join(str(horizon) for horizon in horizons) or "none"
    when = "" if moment is None else f" issued by {moment.isoformat()}"
    whose = "" if model_version is None else f" of {model_version}"
    return ForecastNotFoundError(
        f"Region {region.slug!r} has no forecast for {horizon_sec} s{whose}{when}. "
        f"Horizons there: {known}.",
        region=region.slug,
        horizons=horizons,
    )
