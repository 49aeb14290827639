"""Corrections and retractions are events; what is sent again undoes none of them."""

from collections.abc import Callable
from datetime import UTC, datetime

import orjson
import pytest

from analytics.models import InboxEvent
from analytics.reads.features import cell_aggregates, event_columns, region_extent
from analytics.shipping.shipper import ShippingReport
from tests.support.event_payloads import make_event, make_events, stored
from tests.support.one_region import Post

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_store"),
    pytest.mark.databases,
]
Ship = Callable[[], ShippingReport]
LATER = datetime(2027, 1, 1, tzinfo=UTC)
MOVED = make_event(0, lat=41.9, occurred_at="2025-06-01T00:00:00Z")


def counts(content: bytes) -> tuple[int, int, int]:
    answer = orjson.loads(content)
    return answer["accepted"], answer["duplicates"], answer["rejected_count"]


def test_a_repetition_is_a_duplicate(post: Post, ship: Ship) -> None:
    sent = [counts(post(make_events(5)).content) for _ in range(2)]
    ship()
    sent.append(counts(post(make_events(6)).content))

    assert sent == [(5, 0, 0), (0, 5, 0), (1, 5, 0)]


def test_the_same_event_twice_in_a_body_is_one(post: Post, ship: Ship) -> None:
    assert counts(post([make_event(0), make_event(0)]).content) == (1, 1, 0)
    ship()
    assert stored() == [("e0",)]


@pytest.mark.parametrize("is_shipped_between", [True, False])
@pytest.mark.parametrize(
    "correction", [make_event(0, severity=9.0), MOVED], ids=["severity", "place"]
)
def test_a_correction_replaces_the_event(
    post: Post, ship: Ship, correction: dict[str, object], is_shipped_between: bool
) -> None:
    post([make_event(0)])
    if is_shipped_between:
        ship()

    assert counts(post([correction]).content) == (1, 0, 0)
    ship()

    assert stored("external_id, lat_e7 / 1e7, severity") == [
        ("e0", correction["lat"], correction["severity"])
    ]
    assert region_extent("chicago").count == 1
    assert event_columns("chicago", until=LATER).cell.size == 1
    found = cell_aggregates("chicago", LATER, scales_s=(86_400.0,))
    assert found.count.tolist() == [1]


def test_an_event_that_moves_away_and_nearly_back_is_there_once(
    post: Post, ship: Ship
) -> None:
    for event in (make_event(0), MOVED, make_event(0, severity=2.0)):
        post([event])
        ship()

    assert stored("lat_e7 / 1e7, severity") == [(41.65, 2.0)]


def test_versions_rise_within_a_body_and_from_body_to_body(post: Post) -> None:
    post([make_event(0), make_event(0, severity=2.0)])
    post([make_event(0, severity=3.0)])

    versions = list(
        InboxEvent.objects.order_by("version").values_list("version", "severity")
    )
    assert [severity for _, severity in versions] == [1.5, 2.0, 3.0]
    assert len({version for version, _ in versions}) == 3
    received = set(InboxEvent.objects.values_list("received_ms", flat=True))
    assert len(received) == 1


def test_what_is_sent_again_after_its_correction_does_not_undo_it(
    post: Post, ship: Ship
) -> None:
    feed = [make_event(0), MOVED, make_event(1), make_event(1, severity=4.0)]
    sent = [counts(post(feed).content) for _ in range(3)]
    ship()

    assert sent == [(4, 0, 0), (0, 4, 0), (0, 4, 0)]
    assert stored("external_id, lat_e7 / 1e7, severity") == [
        ("e0", 41.9, 1.5),
        ("e1", 41.651, 4.0),
    ]


@pytest.mark.parametrize("last", [make_event(0), MOVED], ids=["as told", "moved"])
def test_a_retraction_takes_the_event_out_for_good(
    post: Post, ship: Ship, last: dict[str, object]
) -> None:
    feed = [make_event(0), last, {"external_id": "e0", "retracted": True}]
    post(feed)
    ship()

    assert stored() == []
    assert region_extent("chicago").count == 0
    assert counts(post(feed).content) == (0, 3, 0)
    again = orjson.loads(post([make_event(0, severity=5.0)]).content)
    assert [row["code"] for row in again["rejected"]] == ["retracted_event"]


def test_a_correction_that_ships_before_its_event_still_wins(
    post: Post, ship: Ship
) -> None:
    post([make_event(0)])
    waiting = InboxEvent.objects.get().batch
    post([MOVED])
    held_back = type(waiting).objects.filter(pk=waiting.pk)
    held_back.update(row_count=0, accepted_count=0)
    ship()
    held_back.update(row_count=1, accepted_count=1)
    ship()

    assert stored("lat_e7 / 1e7") == [(41.9,)]


def test_two_sources_may_use_the_same_id(post: Post, ship: Ship) -> None:
    post([make_event(0, source="one"), make_event(0, source="two")])
    ship()

    assert stored("source") == [("acme/one",), ("acme/two",)]
