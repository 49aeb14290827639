"""The ledger in ClickHouse."""

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from analytics.reads.ledger import (
    ForecastCellColumns,
    ForecastKey,
    OutcomeColumns,
    record_forecast,
    record_outcomes,
)
from scoring.arrays import ForecastColumns
from scoring.services.forecasts.ledger import LedgerRun


class ClickHouseLedger:
    """Writes rows of `analytics.reads.ledger`; a repetition adds none."""

    def record_forecast(self, run: LedgerRun, columns: ForecastColumns) -> None:
        cells = ForecastCellColumns(
            cell=columns.cells,
            mean=columns.mean,
            alpha=columns.alpha,
            p_event=columns.p_event,
            q05=columns.q05,
            q50=columns.q50,
            q95=columns.q95,
        )
        record_forecast(
            _key(run), cells, model_version=run.model_version, horizon_s=run.horizon_s
        )

    def record_outcomes(
        self, run: LedgerRun, cells: NDArray[np.uint64], counts: NDArray[np.float64]
    ) -> None:
        outcomes = OutcomeColumns(cell=cells, count=counts.astype(np.int64))
        record_outcomes(_key(run), outcomes, observed_at=timezone.now())


def _key(run: LedgerRun) -> ForecastKey:
    return ForecastKey(
        forecast_id=run.forecast_id, region=run.region, issued_for=run.issued_for
    )
