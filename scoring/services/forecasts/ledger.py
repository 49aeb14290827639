"""Write every forecast down before its outcome, and the outcome beside it later.

The ledger takes a repetition as the same rows again, so that whatever a crash left
out, or left in doubt, is simply written once more.
"""

import logging

import numpy as np
from django.db import Error
from django.utils import timezone
from numpy.typing import NDArray

from analytics.store.ledger import ForecastKey, record_forecast, record_outcomes
from scoring.arrays import named_arrays
from scoring.models import Forecast
from scoring.selectors.forecasts import get_columns

MOST_AT_ONCE = 100

logger = logging.getLogger(__name__)


def write_missing_forecasts(*, limit: int = MOST_AT_ONCE) -> int:
    """Write the forecasts that the ledger does not have, the oldest first.

    What cannot be written now stays missing and is tried again next time.
    """
    missing = (
        Forecast.objects.filter(ledgered_at=None)
        .select_related("region", "model_version")
        .defer("region__boundary", "model_version__skill")
        .order_by("created_at", "pk")
    )
    count = 0
    for forecast in missing[:limit]:
        try:
            _write_forecast(forecast)
        except Error:
            logger.warning("the ledger does not take forecasts", exc_info=True)
            break
        Forecast.objects.filter(pk=forecast.pk).update(ledgered_at=timezone.now())
        count += 1
    return count


def write_outcomes(
    forecast: Forecast, cells: NDArray[np.uint64], counts: NDArray[np.float64]
) -> None:
    """Write how many events each cell had within the horizon, (n_cells,)."""
    record_outcomes(
        _key(forecast), cells, counts.astype(np.int64), observed_at=timezone.now()
    )


def _write_forecast(forecast: Forecast) -> None:
    columns = get_columns(forecast)
    record_forecast(
        _key(forecast),
        columns.cells,
        named_arrays(columns),
        model_version=str(forecast.model_version),
        horizon_s=forecast.horizon_sec,
    )


def _key(forecast: Forecast) -> ForecastKey:
    return ForecastKey(
        forecast_id=forecast.pk,
        region=forecast.region.slug,
        issued_for=forecast.issued_for,
    )
