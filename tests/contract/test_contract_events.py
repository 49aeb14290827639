"""Events come in whatever way, their outcome is told, and they can be read again."""

import csv
import gzip
import io
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from analytics.inbox.backlog import forget_backlog
from analytics.shipping.shipper import ship_due
from tests.contract.walking import (
    Cast,
    require_guarded,
    require_unchanged,
)
from tests.support.factories import CENTRE, make_region

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
JANUARY = {
    "region": "chicago",
    "from": "2024-01-01T00:00:00Z",
    "to": "2024-02-01T00:00:00Z",
}
JANUARY_OF_CLIENT: dict[str, Any] = {
    "region": "chicago",
    "from_": datetime(2024, 1, 1, tzinfo=UTC),
    "to": datetime(2024, 2, 1, tzinfo=UTC),
}


@pytest.fixture(autouse=True)
def region(db: None) -> None:
    forget_backlog()
    make_region()


def event(number: int, **values: Any) -> dict[str, Any]:
    return {
        "external_id": f"e-{number}",
        "occurred_at": f"2024-01-{number + 1:02d}T00:00:00Z",
        "lat": CENTRE[0],
        "lon": CENTRE[1],
        **values,
    }


def table_of(*events: dict[str, Any]) -> bytes:
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(events[0]))
    writer.writeheader()
    writer.writerows(events)
    return table.getvalue().encode()


def test_events_come_in_four_ways(cast: Cast) -> None:
    lines = b"\n".join(orjson.dumps(event(number)) for number in (1, 2))
    posts = [
        (orjson.dumps([event(0)]), {"Content-Type": "application/json"}),
        (lines, {"Content-Type": "application/x-ndjson"}),
        (table_of(event(3)), {"Content-Type": "text/csv"}),
        (
            gzip.compress(lines),
            {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"},
        ),
    ]
    counts = []
    for content, headers in posts:
        answer = cast.feed.send("events_create", content=content, headers=headers)
        assert answer.status_code == 202
        counts.append((answer.json()["accepted"], answer.json()["duplicates"]))
    assert counts == [(1, 0), (2, 0), (1, 0), (0, 2)]
    assert ship_due().event_count == 4
    listed = cast.reader.get("events_list", **JANUARY_OF_CLIENT)
    assert [one.external_id for one in listed.results] == ["e-3", "e-2", "e-1", "e-0"]


def test_the_outcome_of_every_row_is_told(cast: Cast) -> None:
    receipt = cast.feed.send(
        "events_create",
        content=table_of(event(0), event(1, lat=91)),
        headers={"Content-Type": "text/csv"},
    ).json()
    (refused,) = receipt["rejected"]
    assert (refused["index"], refused["code"]) == (1, "swapped_coordinates")
    assert cast.feed.get("events_backlog").waiting_events == 1
    ship_due()
    forget_backlog()
    assert cast.feed.get("events_backlog").waiting_events == 0
    outcomes = cast.feed.get("events_batch_outcomes", batch_id=receipt["batch_id"])
    assert (outcomes.accepted, outcomes.rejected, outcomes.stored) == (1, 1, 1)
    refusals = cast.feed.get("events_rejections", code="swapped_coordinates")
    assert [row.reason for row in refusals.results] == [refused["reason"]]


def test_events_go_out_as_files(cast: Cast) -> None:
    pytest.importorskip("pyarrow")
    cast.feed.send("events_create", json=[event(0)])
    ship_due()
    starts = {"csv": b"exte", "arrow": b"\xff\xff\xff\xff", "parquet": b"PAR1"}
    for name, start in starts.items():
        file = cast.reader.send("events_export", params={**JANUARY, "format": name})
        assert (file.status_code, file.content[:4]) == (200, start)
    assert cast.nobody.send("events_export", params=JANUARY).status_code == 401
    assert cast.feed.send("events_export", params=JANUARY).status_code == 403


def test_events_are_listed_and_counted(cast: Cast) -> None:
    (first, *_) = cast.reader.send("reports_list").json()["results"]
    report = cast.reader.send(
        "reports_get",
        path={"name": first["name"]},
        params={"region": "chicago", "from": "2024-01-01", "to": "2024-02-01"},
    )
    assert report.status_code == 200
    require_unchanged(cast.reader, "events_list", params=JANUARY)
    require_guarded(cast, "events_list", is_shared=True, **JANUARY_OF_CLIENT)
    assert cast.nobody.send("reports_list").status_code == 401


def test_posting_is_for_feeds_and_done_once(cast: Cast) -> None:
    headers = {"Idempotency-Key": "walk"}
    first, again = (
        cast.feed.send("events_create", json=[event(0)], headers=headers)
        for _ in range(2)
    )
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = cast.feed.send("events_create", json=[event(1)], headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    batch_id = first.json()["batch_id"]
    require_unchanged(cast.feed, "events_batch_outcomes", path={"batch_id": batch_id})
    require_guarded(
        cast, "events_batch_outcomes", limited=cast.reader, batch_id=batch_id
    )
    for operation_id in ("events_rejections", "events_backlog"):
        require_guarded(cast, operation_id, limited=cast.reader, is_shared=True)
    posts = [(cast.nobody, 401), (cast.reader, 403)]
    for caller, status in posts:
        assert caller.send("events_create", json=[event(0)]).status_code == status
    # A field too many is the fault of its row, not of the request.
    odd = cast.feed.send("events_create", json=[event(2, colour="red")])
    (refused,) = odd.json()["rejected"]
    assert (odd.status_code, refused["index"]) == (422, 0)
    assert "colour" in refused["reason"]
