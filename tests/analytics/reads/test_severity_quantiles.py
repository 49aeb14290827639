"""Quantiles of severities are within one per cent, whatever the severities are."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from analytics.reads.reports import QUANTILES, ReportWindow, run_report
from analytics.store.clickhouse import run_statement, to_milliseconds
from analytics.store.rollups import refresh_rollups
from tests.support.chicago import CHICAGO

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]
START = datetime(2021, 12, 20, tzinfo=UTC)
WINDOW = ReportWindow(region="chicago", since=date(2021, 12, 1), until=date(2022, 2, 1))
SIZES = st.floats(1e-300, 1e300)
SEVERITIES = st.one_of(
    st.just(0.0),
    SIZES,
    SIZES.map(lambda size: -size),
    st.integers(-100, 100).map(lambda tenths: tenths / 10),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(severities=st.lists(SEVERITIES, min_size=1, max_size=40))
# Ends of buckets, and severities below one, whose logarithms are negative.
@example(severities=[0.1, 0.5, 0.985, 0.99, 1.0, 1.01])
@example(severities=[-0.99, -0.5, -1e-300, 0.0, 1e-300, 0.5, 0.99])
@pytest.mark.parametrize("is_rolled_up", [True, False])
def test_quantiles_are_within_one_per_cent(
    severities: Sequence[float], *, is_rolled_up: bool
) -> None:
    run_statement("test", "TRUNCATE TABLE analytics_event")
    store(severities)
    if is_rolled_up:
        refresh_rollups()

    found = run_report("severity-quantiles", WINDOW)

    assert found["severity_count"].tolist() == [len(severities)]
    exact = np.quantile(severities, QUANTILES, method="lower")
    # Rounding places a severity at the very end of a bucket in its neighbour.
    np.testing.assert_allclose(
        found["severity_quantiles"][0], exact, rtol=0.01 * (1 + 1e-9), atol=0
    )


def store(severities: Sequence[float]) -> None:
    """Store an event a day, over the end of the year."""
    count = len(severities)
    first_ms = to_milliseconds(START)
    day_ms = int(timedelta(days=1).total_seconds()) * 1_000
    columns = EventColumns(
        occurred_ms=first_ms + day_ms * np.arange(count),
        lat=np.full(count, 41.8),
        lon=np.full(count, -87.6),
        severity=np.array(severities),
        event_type="theft",
    )
    store_events(columns, grid=CHICAGO, source="test", now=START)
