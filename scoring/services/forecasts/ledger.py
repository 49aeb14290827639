"""Write every forecast down before its outcome, and the outcome beside it later.

The ledger takes a repetition as the same rows again, so that whatever a crash left
out, or left in doubt, is simply written once more.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import numpy as np
from django.db import Error
from django.utils import timezone
from numpy.typing import NDArray

from scoring.arrays import ForecastColumns
from scoring.models import Forecast
from scoring.selectors.forecasts import get_columns

MOST_AT_ONCE = 100

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRun:
    """Which forecast some rows of the ledger belong to."""

    forecast_id: UUID
    region: str
    model_version: str
    issued_for: datetime
    horizon_s: int


class Ledger(Protocol):
    """Where the rows go: one for each cell of a forecast."""

    def record_forecast(self, run: LedgerRun, columns: ForecastColumns) -> None: ...

    def record_outcomes(
        self, run: LedgerRun, cells: NDArray[np.uint64], counts: NDArray[np.float64]
    ) -> None: ...


def write_missing_forecasts(ledger: Ledger, *, limit: int = MOST_AT_ONCE) -> int:
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
            ledger.record_forecast(run_of(forecast), get_columns(forecast))
        except Error:
            logger.warning("the ledger does not take forecasts", exc_info=True)
            break
        Forecast.objects.filter(pk=forecast.pk).update(ledgered_at=timezone.now())
        count += 1
    return count


def run_of(forecast: Forecast) -> LedgerRun:
    return LedgerRun(
        forecast_id=forecast.pk,
        region=forecast.region.slug,
        model_version=str(forecast.model_version),
        issued_for=forecast.issued_for,
        horizon_s=forecast.horizon_sec,
    )
