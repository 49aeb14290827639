"""A POST of events: what is accepted is durable, and gets to the store."""

import gzip
from collections.abc import Callable
from uuid import UUID

import orjson
import pytest

from analytics.models import InboxEvent, IngestBatch
from analytics.shipping.shipper import ShippingReport
from tests.support.event_payloads import make_event, make_events, stored
from tests.support.one_region import Post

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_store"),
    pytest.mark.databases,
]
Ship = Callable[[], ShippingReport]
CSV = b"""external_id,occurred_at,lat,lon,severity,attributes.by
a,2026-01-01T00:00:00Z,41.8,-87.6,1.5,hand
b,2026-01-01T01:00:00+01:00,41.8,-87.6,,
"""


def test_accepted_events_reach_the_store(post: Post, ship: Ship) -> None:
    response = post(make_events(3))

    answer = orjson.loads(response.content)
    assert response.status_code == 202
    assert UUID(answer.pop("batch_id")).version == 7
    assert answer == {
        "accepted": 3,
        "duplicates": 0,
        "rejected_count": 0,
        "rejected": [],
    }
    assert InboxEvent.objects.count() == 3
    assert ship().event_count == 3
    assert stored("external_id, source, region, severity, attributes") == [
        (f"e{number}", "acme/api", "chicago", 1.5, {"by": "hand"})
        for number in range(3)
    ]


def test_every_form_of_a_body_says_the_same(post: Post, ship: Ship) -> None:
    lines = b"\n".join(orjson.dumps(event) for event in make_events(2, first=10))
    bodies = [
        (lines, "application/x-ndjson", ""),
        (
            gzip.compress(orjson.dumps(make_events(2, first=20)), mtime=0),
            "application/json",
            "gzip",
        ),
        (
            gzip.compress(CSV[:70], mtime=0) + gzip.compress(CSV[70:], mtime=0),
            "text/csv; charset=utf-8",
            "gzip",
        ),
    ]

    answers = [
        post(body, content_type=kind, **{"Content-Encoding": encoding})
        for body, kind, encoding in bodies
    ]

    assert [orjson.loads(answer.content)["accepted"] for answer in answers] == [2, 2, 2]
    ship()
    assert [row[0] for row in stored()] == ["a", "b", "e10", "e11", "e20", "e21"]
    assert stored("external_id, toString(occurred_at), severity, attributes")[:2] == [
        ("a", "2026-01-01 00:00:00.000", 1.5, {"by": "hand"}),
        ("b", "2026-01-01 00:00:00.000", None, {}),
    ]


def test_source_and_region_come_from_the_row_before_the_query(
    post: Post, ship: Ship
) -> None:
    far = {"lat": 10.0, "lon": 10.0}
    rows = [make_event(0, **far), make_event(1, source="own")]

    post(rows, query="?source=feed&region=chicago")

    ship()
    assert stored("external_id, source, region") == [
        ("e0", "acme/feed", "chicago"),
        ("e1", "acme/own", "chicago"),
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lat": 91}, "swapped_coordinates"),
        ({"external_id": ""}, "missing_value"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "naive_time"),
        ({"surprise": 1}, "unknown_field"),
        ({"occurred_at": None}, "missing_value"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "future_time"),
        ({"occurred_at": "1800-01-01T00:00:00Z"}, "time_out_of_range"),
        ({"external_id": "a\0b"}, "nul_byte"),
        ({"attributes": {"a": "\0"}}, "nul_byte"),
        ({"lat": 1.0, "lon": 1.0}, "outside_region"),
        ({"region": "nowhere"}, "unknown_region"),
        ({"retracted": True, "external_id": "never"}, "unknown_event"),
    ],
)
def test_a_bad_row_is_refused_and_takes_no_other_along(
    post: Post, changes: dict[str, object], code: str
) -> None:
    response = post([make_event(0), make_event(1, **changes), make_event(2)])

    answer = orjson.loads(response.content)
    assert answer["accepted"] == 2
    assert [(row["index"], row["code"]) for row in answer["rejected"]] == [(1, code)]
    assert answer["rejected"][0]["reason"].endswith(".")


def test_a_body_of_bad_rows_alone_is_remembered(post: Post) -> None:
    response = post([{"external_id": 1}])

    answer = orjson.loads(response.content)
    assert (response.status_code, answer["code"]) == (422, "no_row_accepted")
    assert (answer["accepted"], answer["rejected_count"]) == (0, 1)
    assert "None of 1 rows was accepted. The first: " in answer["detail"]
    assert answer["rejected"][0]["index"] == 0
    batch = IngestBatch.objects.get()
    assert (batch.accepted_count, batch.refused_count) == (0, 1)
    assert not IngestBatch.objects.waiting().exists()
