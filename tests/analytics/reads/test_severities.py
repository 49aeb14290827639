from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from analytics.reads import severities
from analytics.reads.severities import ranked_severities
from analytics.store.clickhouse import to_milliseconds
from tests.support.chicago import CHICAGO

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]

INSTANT = datetime(2022, 6, 1, tzinfo=UTC)


def put(severity: list[float], *, days_before: int = 1) -> None:
    occurred_at = INSTANT - timedelta(days=days_before)
    count = len(severity)
    events = EventColumns(
        occurred_ms=to_milliseconds(occurred_at) + np.arange(count),
        lat=np.full(count, 41.8),
        lon=np.full(count, -87.6),
        severity=np.array(severity),
    )
    store_events(events, grid=CHICAGO, source="test", now=INSTANT)


def test_few_severities_are_all_given_in_order() -> None:
    put([3.0, 1.0, float("nan"), 2.0, 2.0])
    found = ranked_severities("chicago", until=INSTANT)
    assert found.tolist() == [1.0, 2.0, 2.0, 3.0]


def test_many_severities_are_given_by_the_middle_of_equal_shares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(severities, "MOST_RANKS", 4)
    put([float(number) for number in range(100)])
    found = ranked_severities("chicago", until=INSTANT)
    assert found.tolist() == [12.0, 37.0, 62.0, 87.0]


def test_what_happens_later_is_not_known_yet() -> None:
    put([5.0])
    put([9.0], days_before=0)
    assert ranked_severities("chicago", until=INSTANT).tolist() == [5.0]


def test_a_region_without_severities_has_none() -> None:
    put([float("nan")])
    found = ranked_severities("chicago", until=INSTANT)
    assert found.size == 0
    assert found.dtype == np.float64
    assert ranked_severities("nowhere", until=INSTANT).size == 0
