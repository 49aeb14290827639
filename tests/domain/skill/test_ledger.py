"""Every forecast is written to the ledger, whatever went wrong before."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from django.db import OperationalError
from numpy.typing import NDArray

from scoring.arrays import ForecastColumns
from scoring.models import Forecast, ForecastSkill
from scoring.services.forecasts.ledger import LedgerRun, write_missing_forecasts
from scoring.services.forecasts.skill import score_due_forecasts
from tests.factories import DAY_S, ISSUED_FOR, make_forecast, make_region
from tests.scoring.events import START, store_random_events

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@dataclass
class Notebook:
    """A ledger that breaks after so many forecasts."""

    breaks_after: int = 1_000
    rows: dict[UUID, ForecastColumns] = field(default_factory=dict)
    runs: list[LedgerRun] = field(default_factory=list)
    outcomes: dict[UUID, NDArray[np.float64]] = field(default_factory=dict)

    def record_forecast(self, run: LedgerRun, columns: ForecastColumns) -> None:
        if len(self.runs) >= self.breaks_after:
            raise OperationalError("ClickHouse is down")
        self.runs.append(run)
        self.rows[run.forecast_id] = columns

    def record_outcomes(
        self, run: LedgerRun, cells: NDArray[np.uint64], counts: NDArray[np.float64]
    ) -> None:
        self.outcomes[run.forecast_id] = counts


def make_forecasts() -> list[Forecast]:
    region = make_region(rings=1)
    return [
        make_forecast(region, horizon_sec=days * DAY_S, scale=days)
        for days in (1, 2, 7)
    ]


def test_each_forecast_is_written_once_with_all_its_cells() -> None:
    forecasts = make_forecasts()
    ledger = Notebook()
    assert write_missing_forecasts(ledger) == 3
    assert write_missing_forecasts(ledger) == 0
    assert ledger.rows.keys() == {forecast.pk for forecast in forecasts}
    first = forecasts[0]
    assert ledger.runs[0] == LedgerRun(
        forecast_id=first.pk,
        region="chicago",
        model_version="poisson_glm-1",
        issued_for=ISSUED_FOR,
        horizon_s=DAY_S,
    )
    assert ledger.rows[first.pk].cells.size == 7


def test_what_could_not_be_written_is_written_later() -> None:
    make_forecasts()
    ledger = Notebook(breaks_after=1)
    assert write_missing_forecasts(ledger) == 1
    assert Forecast.objects.filter(ledgered_at=None).count() == 2
    ledger.breaks_after = 10
    assert write_missing_forecasts(ledger) == 2
    assert not Forecast.objects.filter(ledgered_at=None).exists()


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_outcomes_are_written_of_forecasts_that_are_in_the_ledger(
    no_events: None,
) -> None:
    region = make_region()
    store_random_events(region)
    known = make_forecast(region, issued_for=START + timedelta(days=150))
    write_missing_forecasts(ledger := Notebook())
    make_forecast(region, issued_for=START + timedelta(days=151))
    assert score_due_forecasts(ledger=ledger) == 1
    assert ledger.outcomes.keys() == {known.pk}
    skill = ForecastSkill.objects.get(forecast=known)
    assert ledger.outcomes[known.pk].sum() == skill.observed_count
