"""Aggregates in SQL, held against the same sums in numpy."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from analytics.reads.features import (
    EQUAL_WEIGHT,
    EventScope,
    SeverityWeight,
    cell_aggregates,
    event_columns,
    region_extent,
)
from analytics.store.clickhouse import to_milliseconds
from tests.support.chicago import CHICAGO

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]

INSTANT = datetime(2022, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SCALES_S = (21_600.0, 86_400.0, 31_536_000.0)


@dataclass(frozen=True)
class Weight:
    kind: str
    coefficient: float = 0.8
    reference: float = 0.0


def weight_of(severity: float, weight: SeverityWeight) -> float:
    if weight.kind == "one" or math.isnan(severity):
        return 1.0
    if weight.kind == "log":
        reference = weight.reference if weight.reference > 0 else 1.0
        return 1.0 + math.log1p(max(severity, 0.0) / reference)
    exponent = weight.coefficient * (severity - weight.reference)
    return float(10.0 ** min(max(exponent, -12.0), 12.0))


def make_events(count: int) -> EventColumns:
    rng = np.random.default_rng(7)
    severity = rng.normal(3.0, 4.0, count)
    severity[::5] = np.nan
    severity[1] = 100.0
    return EventColumns(
        occurred_ms=to_milliseconds(INSTANT) - rng.integers(-(10**9), 10**10, count),
        lat=rng.choice([41.70, 41.75, 41.80], count),
        lon=rng.choice([-87.70, -87.60], count),
        severity=severity,
    )


def put(events: EventColumns, *, now: datetime = INSTANT) -> None:
    store_events(events, grid=CHICAGO, source="test", now=now)


@pytest.mark.parametrize(
    "weight",
    [EQUAL_WEIGHT, Weight("log"), Weight("log", reference=2.5), Weight("exponential")],
)
def test_aggregates_are_the_sums_they_claim_to_be(weight: SeverityWeight) -> None:
    events = make_events(400)
    put(events)
    cells = CHICAGO.cells_of(events.lat, events.lon)
    occurred_s = events.occurred_ms / 1_000
    age_s = (to_milliseconds(INSTANT) - events.occurred_ms) / 1_000
    assert events.severity is not None
    weights = np.array([weight_of(s, weight) for s in events.severity.tolist()])

    found = cell_aggregates("chicago", INSTANT, scales_s=SCALES_S, weight=weight)

    assert found.cell.tolist() == sorted(set(cells[age_s > 0].tolist()))
    assert found.first_occurred_s.min() == occurred_s.min()
    for row, cell in enumerate(found.cell):
        is_here = (cells == cell) & (age_s > 0)
        ages, here = age_s[is_here], weights[is_here]
        expected = [np.sum(here * np.exp(-ages / scale)) for scale in SCALES_S]
        np.testing.assert_allclose(found.excitation[row], expected, rtol=1e-12)
        assert found.count[row] == ages.size
        assert found.count_1d[row] == np.sum(ages <= 86_400)
        assert found.count_7d[row] == np.sum(ages <= 7 * 86_400)
        assert found.count_28d[row] == np.sum(ages <= 28 * 86_400)
        assert found.first_occurred_s[row] == occurred_s[is_here].min()
        assert found.last_occurred_s[row] == occurred_s[is_here].max()


def test_window_holds_its_start_and_not_its_end() -> None:
    instants = [INSTANT, INSTANT - DAY, INSTANT - DAY - timedelta(milliseconds=1)]
    occurred_ms = np.array([to_milliseconds(instant) for instant in instants])
    put(
        EventColumns(
            occurred_ms=occurred_ms, lat=np.full(3, 41.8), lon=np.full(3, -87.6)
        )
    )

    found = cell_aggregates("chicago", INSTANT, scales_s=SCALES_S)

    assert (found.count.tolist(), found.count_1d.tolist()) == ([2], [1])


def test_what_had_not_arrived_is_left_out_when_asked() -> None:
    events = make_events(20)
    occurred_ms = np.full(20, to_milliseconds(INSTANT - 10 * DAY))
    arrivals = (INSTANT - DAY, INSTANT + DAY)
    for place, arrived_at in enumerate(arrivals):
        part = events.take(np.arange(place, 20, 2))
        put(
            EventColumns(
                occurred_ms=occurred_ms[:10] + place, lat=part.lat, lon=part.lon
            ),
            now=arrived_at,
        )

    counts = [
        cell_aggregates("chicago", INSTANT, scales_s=SCALES_S, scope=scope).count
        for scope in (
            EventScope(),
            EventScope(known_at=INSTANT),
            EventScope(known_at=INSTANT + DAY),
            EventScope(known_at=INSTANT - 2 * DAY),
        )
    ]

    assert [int(count.sum()) for count in counts] == [20, 10, 20, 0]


def test_region_without_events_has_empty_answers() -> None:
    found = cell_aggregates("nowhere", INSTANT, scales_s=SCALES_S)

    assert found.excitation.shape == (0, 3)
    assert found.cell.dtype == np.uint64
    assert found.first_occurred_s.size == 0
    assert event_columns("nowhere", until=INSTANT).severity.size == 0
    extent = region_extent("nowhere")
    assert (extent.count, extent.first_occurred_at) == (0, None)


def test_history_is_in_order_and_ends_before_its_end() -> None:
    events = make_events(50)
    put(events, now=INSTANT + DAY)
    since = INSTANT - 30 * DAY

    found = event_columns("chicago", since=since, until=INSTANT)

    start_ms, end_ms = to_milliseconds(since), to_milliseconds(INSTANT)
    is_inside = (events.occurred_ms >= start_ms) & (events.occurred_ms < end_ms)
    assert found.occurred_s.tolist() == sorted(events.occurred_ms[is_inside] / 1_000)
    assert set(found.arrived_s.tolist()) == {(INSTANT + DAY).timestamp()}
    assert events.severity is not None
    np.testing.assert_array_equal(
        np.sort(found.severity), np.sort(events.severity[is_inside])
    )


def test_extent_is_of_one_region() -> None:
    events = make_events(50)
    put(events)

    extent = region_extent("chicago")

    assert extent.count == 50
    assert extent.cells_with_events == len(
        set(CHICAGO.cells_of(events.lat, events.lon))
    )
    assert extent.first_occurred_at is not None
    assert extent.last_occurred_at is not None
    assert to_milliseconds(extent.first_occurred_at) == events.occurred_ms.min()
    assert to_milliseconds(extent.last_occurred_at) == events.occurred_ms.max()
