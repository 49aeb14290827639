"""The rows of forecasts and outcomes that ClickHouse holds."""

from datetime import timedelta

import numpy as np
import pytest

from analytics.reads.ledger import ForecastKey, read_forecast_cells, read_outcomes
from scoring.models import Forecast, ForecastSkill
from scoring.selectors.forecasts import get_columns
from scoring.services.forecasts.ledger import write_missing_forecasts
from scoring.services.forecasts.ledger_store import ClickHouseLedger
from scoring.services.forecasts.skill import score_due_forecasts
from tests.factories import make_forecast, make_region
from tests.scoring.events import START, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def test_the_ledger_holds_what_was_forecast_and_what_came() -> None:
    region = make_region()
    store_random_events(region)
    forecast = make_forecast(region, issued_for=START + timedelta(days=150))
    ledger = ClickHouseLedger()
    assert write_missing_forecasts(ledger) == 1
    Forecast.objects.update(ledgered_at=None)
    assert write_missing_forecasts(ledger) == 1
    key = ForecastKey(
        forecast_id=forecast.pk, region=region.slug, issued_for=forecast.issued_for
    )
    columns, rows = get_columns(forecast), read_forecast_cells(key)
    np.testing.assert_array_equal(rows.cell, columns.cells)
    np.testing.assert_array_equal(rows.p_event, columns.p_event)
    assert score_due_forecasts(ledger=ledger) == 1
    outcomes = read_outcomes(key)
    assert outcomes.count.sum() == ForecastSkill.objects.get().observed_count
