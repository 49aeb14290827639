"""Staff see rollups and ledger at a constant cost, and change nothing there."""

from uuid import uuid4

import numpy as np
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from analytics.store.clickhouse import run_statement
from analytics.store.ledger import (
    FIGURES,
    ForecastKey,
    record_forecast,
    record_outcomes,
)
from analytics.store.rollups import refresh_rollups
from tests.support.chicago import CHICAGO, NOW

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]
ROLLUPS = ("eventhour", "eventday", "eventcellday")
LEDGER = ("forecastcell", "forecastoutcome")


def fill(count: int) -> None:
    """Give each table so many rows."""
    # Each in a month of its own.
    times_ms = np.arange(count) * 31 * 86_400_000
    events = EventColumns(
        occurred_ms=times_ms, lat=np.full(count, 41.8), lon=np.full(count, -87.6)
    )
    store_events(events, grid=CHICAGO, source="test", now=NOW)
    refresh_rollups()
    for table in LEDGER:
        run_statement("test", f"TRUNCATE TABLE analytics_{table}")
    key = ForecastKey(forecast_id=uuid4(), region="chicago", issued_for=NOW)
    cells = np.arange(count, dtype=np.uint64) + np.uint64(1)
    arrays = dict.fromkeys(FIGURES, np.ones(count))
    record_forecast(key, cells, arrays, model_version="v", horizon_s=86_400)
    record_outcomes(key, cells, np.arange(count), observed_at=NOW)


@pytest.mark.parametrize("row_count", [1, 20])
@pytest.mark.parametrize("table", [*ROLLUPS, *LEDGER])
def test_list_costs_the_same_for_any_number_of_rows(
    admin: Client, table: str, row_count: int
) -> None:
    fill(row_count)
    page = reverse(f"admin:analytics_{table}_changelist")
    admin.get(page)

    with CaptureQueriesContext(connections["clickhouse"]) as queries:
        response = admin.get(page)

    assert len(response.context["cl"].result_list) == row_count
    # One for the page, one for its count, one for the choices of each filter.
    assert len(queries) == (4 if table == "forecastcell" else 3)


@pytest.mark.parametrize("table", [*ROLLUPS, *LEDGER])
def test_nobody_changes_a_row(admin: Client, table: str) -> None:
    fill(1)

    add = admin.get(reverse(f"admin:analytics_{table}_add"))
    change = admin.get(reverse(f"admin:analytics_{table}_change", args=["chicago"]))

    assert add.status_code == 403
    assert change.status_code == 302
