"""Afterwards everybody can see what became of every row they sent."""

from collections.abc import Callable

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.inbox.backlog import forget_backlog
from analytics.models import InboxEvent, ParkedEvent
from analytics.shipping.shipper import ShippingReport
from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.services import issue_key
from tests.support.event_payloads import Json, make_event, make_events
from tests.support.one_region import Post

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_store"),
]
Ship = Callable[[], ShippingReport]
Get = Callable[[str], Json]


@pytest.fixture
def get(key: str) -> Get:
    def ask(path: str) -> Json:
        url = f"/api/v1/events/{path}"
        response = Client().get(url, headers={"X-API-Key": key})
        return {"status": response.status_code, **orjson.loads(response.content)}

    return ask


def test_each_row_has_its_outcome(post: Post, ship: Ship, get: Get) -> None:
    post([make_event(0)])
    sent = post([make_event(0), make_event(1), make_event(2, lat=99), make_event(3)])
    batch_id = orjson.loads(sent.content)["batch_id"]
    before = get(f"batches/{batch_id}")
    ship()
    parked = InboxEvent.objects.get(external_id="e3")
    ParkedEvent.objects.create(event=parked, reason="too odd")

    after = get(f"batches/{batch_id}")

    outcomes = [row["outcome"] for row in before["results"]]
    assert outcomes == ["duplicate", "waiting", "refused", "waiting"]
    outcomes = [row["outcome"] for row in after["results"]]
    assert outcomes == ["duplicate", "stored", "refused", "parked"]
    assert after["results"][3]["reason"] == "too odd"
    assert after["results"][2]["code"] == "swapped_coordinates"
    names = ("rows", "accepted", "duplicates", "rejected", "waiting", "stored")
    assert [before[name] for name in names] == [4, 2, 1, 1, 2, 0]
    assert [after[name] for name in names] == [4, 2, 1, 1, 0, 1]
    assert before["shipped_at"] is None
    assert after["shipped_at"] is not None


def test_outcomes_come_in_pages(post: Post, get: Get) -> None:
    batch_id = orjson.loads(post(make_events(25)).content)["batch_id"]

    seen: list[int] = []
    after: int | None = -1
    while after is not None:
        page = get(f"batches/{batch_id}?limit=10&after={after}")
        seen += [row["index"] for row in page["results"]]
        after = page["next"]

    assert seen == list(range(25))


def test_a_batch_of_another_organisation_is_not_there(post: Post, get: Get) -> None:
    batch_id = orjson.loads(post([make_event(0)]).content)["batch_id"]
    other = Organisation.objects.create(slug="other", name="Other")
    stranger = issue_key(other, name="n", scopes=["events:write"]).text.text

    response = Client().get(
        f"/api/v1/events/batches/{batch_id}", headers={"X-API-Key": stranger}
    )

    assert response.status_code == 404
    assert get(f"batches/{batch_id}")["status"] == 200


@pytest.mark.parametrize("row_count", [1, 20])
def test_outcomes_cost_the_same_for_any_number_of_rows(
    post: Post, get: Get, row_count: int
) -> None:
    batch_id = orjson.loads(post(make_events(row_count)).content)["batch_id"]

    with CaptureQueriesContext(connection) as queries:
        get(f"batches/{batch_id}")

    # The key, its use, three sums, the batches, their events and their refusals.
    assert len(queries) <= 8


def test_refusals_are_counted_listed_and_filtered(post: Post, get: Get) -> None:
    post([make_event(n, lat=99) for n in range(3)])
    post([make_event(9, region="nowhere")], query="?source=feed")

    first = get("rejections?limit=2")
    second = get(f"rejections?limit=2&after={first['next']}")

    assert first["counts"] == [
        {"source": "api", "code": "swapped_coordinates", "count": 3},
        {"source": "feed", "code": "unknown_region", "count": 1},
    ]
    rows = [*first["results"], *second["results"]]
    assert [(row["source"], row["index"]) for row in rows] == [
        ("feed", 0),
        *(("api", index) for index in (2, 1, 0)),
    ]
    assert second["next"] is None
    assert len(get("rejections?source=feed")["results"]) == 1
    assert len(get("rejections?code=swapped_coordinates")["results"]) == 3


def test_a_backlog_is_seen_and_refuses_more_when_it_is_full(
    post: Post, ship: Ship, get: Get, settings: object
) -> None:
    settings.INGEST_MAX_BACKLOG = 5  # type: ignore[attr-defined]  # pytest-django's fixture
    post(make_events(5))
    forget_backlog()

    refused = post([make_event(9)])

    assert refused.status_code == 503
    assert refused["Retry-After"] == "30"
    assert orjson.loads(refused.content)["code"] == "backlog_full"
    assert get("backlog")["waiting_events"] == 5
    ship()
    forget_backlog()
    assert get("backlog")["waiting_events"] == 0
    assert post([make_event(9)]).status_code == 202
