"""Events that code already has as arrays."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from analytics.errors import EventColumnsError
from analytics.ingest.events import EventColumns
from analytics.ingest.storage import StoredEvents, store_events
from analytics.models import Event
from analytics.reads.features import region_extent
from analytics.store.clickhouse import run_statement
from tests.support.chicago import CHICAGO, NOW

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]

EVENTS = EventColumns(
    occurred_ms=np.array([1_000, 2_000, 3_000]),
    lat=np.array([41.8, 41.9, 41.8]),
    lon=np.array([-87.6, -87.7, -87.6]),
    external_id=["a", "b", "c"],
    event_type=["arson", "theft", "arson"],
    severity=np.array([1.0, np.nan, 3.0]),
    attributes=[{"by": "x"}, {}, {"by": "y"}],
)


def store(events: EventColumns) -> StoredEvents:
    return store_events(events, grid=CHICAGO, source="test", now=NOW)


def test_columns_become_events() -> None:
    stored = store(EVENTS)

    assert (stored.accepted, stored.duplicates) == (3, 0)
    assert stored.cells.tolist() == CHICAGO.cells_of(EVENTS.lat, EVENTS.lon).tolist()
    rows = Event.objects.order_by("external_id").values_list(
        "external_id", "event_type", "severity", "attributes"
    )
    assert list(rows) == [
        ("a", "arson", 1.0, {"by": "x"}),
        ("b", "theft", None, {}),
        ("c", "arson", 3.0, {"by": "y"}),
    ]


def test_what_is_there_is_a_duplicate_and_what_differs_a_correction() -> None:
    store(EVENTS)
    changed = replace(EVENTS, occurred_ms=np.array([1_000, 2_001, 3_000]))

    stored = store(changed)

    assert stored.accepted_places.tolist() == [1]
    assert stored.duplicate_places.tolist() == [0, 2]
    assert stored.retracted_places.tolist() == []


def test_a_correction_keeps_the_arrival_and_leaves_nothing_behind() -> None:
    store(EVENTS)
    moved = replace(
        EVENTS,
        lat=np.array([41.8, 41.7, 41.8]),
        occurred_ms=np.array([1_000, 86_400_000_000, 3_000]),
    )

    store_events(moved, grid=CHICAGO, source="test", now=NOW + timedelta(days=1))

    rows = Event.objects.merged().order_by("external_id")
    assert list(rows.values_list("external_id", "lat", "ingested_at")) == [
        ("a", 41.8, NOW),
        ("b", 41.7, NOW),
        ("c", 41.8, NOW),
    ]
    again = store_events(moved, grid=CHICAGO, source="test", now=NOW)
    assert (again.accepted, again.duplicates) == (0, 3)


def test_a_retracted_event_is_repeated_but_not_corrected() -> None:
    store(EVENTS)
    run_statement(
        "test",
        "INSERT INTO analytics_event SELECT * REPLACE (version + 1 AS version,"
        " 1 AS is_deleted) FROM analytics_event WHERE external_id != 'c'",
    )
    changed = replace(EVENTS, severity=np.array([2.0, np.nan, 3.0]))

    stored = store(changed)

    assert stored.retracted_places.tolist() == [0]
    assert stored.duplicate_places.tolist() == [1, 2]
    assert region_extent("chicago").count == 1


def test_events_without_ids_are_stored_once() -> None:
    events = replace(EVENTS, external_id=())

    counts = [store(events).accepted for _ in range(2)]

    assert counts == [3, 0]


def test_no_events_are_no_work() -> None:
    stored = store(EVENTS.take(np.array([], dtype=np.int64)))

    assert (stored.accepted, region_extent("chicago").count) == (0, 0)


def test_ids_may_hold_any_text() -> None:
    ids = ['it\'s "quoted"\\', "tab\t, line\n", "%s %(x)s é 東京"]
    events = replace(EVENTS, external_id=ids)

    counts = [store(events).accepted for _ in range(2)]

    assert counts == [3, 0]
    assert set(Event.objects.values_list("external_id", flat=True)) == set(ids)


def test_events_of_many_years_come_in_one_insert() -> None:
    months = np.arange(110) * 31 * 86_400_000
    events = EventColumns(
        occurred_ms=months, lat=np.full(110, 41.8), lon=np.full(110, -87.6)
    )

    assert store(events).accepted == 110
    assert region_extent("chicago").count == 110


@pytest.mark.parametrize("name", ["lat", "lon", "severity", "amount"])
def test_columns_of_unequal_length_are_refused(name: str) -> None:
    columns: dict[str, Any] = {name: np.array([1.0])}

    with pytest.raises(EventColumnsError) as caught:
        replace(EVENTS, **columns)

    assert caught.value.message == f"The column {name} has 1 values for 3 events."


@pytest.mark.parametrize("lat", [np.nan, 90.5, -np.inf])
def test_place_off_the_earth_is_refused(lat: float) -> None:
    with pytest.raises(EventColumnsError) as caught:
        replace(EVENTS, lat=np.array([41.8, lat, 41.8]))

    assert caught.value.message == (
        f"Event 1 lies at latitude {lat:g}, longitude -87.7, which is not a place on"
        " the earth."
    )


@pytest.mark.parametrize("external_id", ["", "a\0b"])
def test_unusable_id_is_refused(external_id: str) -> None:
    with pytest.raises(EventColumnsError) as caught:
        store(replace(EVENTS, external_id=["a", external_id, "c"]))

    assert caught.value.context == {"index": 1}


@pytest.mark.parametrize("occurred_ms", [-(2**62), 1_640_995_200_000_000])
def test_time_beyond_what_can_be_stored_is_refused(occurred_ms: int) -> None:
    with pytest.raises(EventColumnsError) as caught:
        store(replace(EVENTS, occurred_ms=np.array([1_000, occurred_ms, 3_000])))

    assert caught.value.message == (
        f"Event 1 has the time {occurred_ms} ms, which is not in 1900 to 2286."
        " Give milliseconds since 1970."
    )


def test_source_needs_a_name() -> None:
    with pytest.raises(EventColumnsError) as caught:
        store_events(EVENTS, grid=CHICAGO, source=" ", now=NOW)

    assert caught.value.message == "A source has a name of 1 to 100 characters."
