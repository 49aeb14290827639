"""Staff see events, and can only see them."""

import numpy as np
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from tests.support.chicago import CHICAGO, NOW

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]

LIST = reverse("admin:analytics_event_changelist")


def put(count: int) -> None:
    events = EventColumns(
        occurred_ms=np.arange(count) * 1_000,
        lat=np.full(count, 41.8),
        lon=np.full(count, -87.6),
        external_id=[f"e{number}" for number in range(count)],
        event_type="theft",
        attributes=[{"by": "hand"}] * count,
    )
    store_events(events, grid=CHICAGO, source="police", now=NOW)


@pytest.mark.parametrize("event_count", [1, 20])
def test_list_costs_the_same_for_any_number_of_events(
    admin: Client, event_count: int
) -> None:
    put(event_count)
    # The first query of all asks for the server's version.
    admin.get(LIST)

    with CaptureQueriesContext(connections["clickhouse"]) as queries:
        response = admin.get(LIST)

    # One for the page, one for its count, three for the choices of the filters.
    assert len(queries) == 5
    assert len(response.context["cl"].result_list) == event_count


def test_newest_event_comes_first(admin: Client) -> None:
    put(3)

    response = admin.get(LIST)

    found = [event.external_id for event in response.context["cl"].result_list]
    assert found == ["e2", "e1", "e0"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=e1", 1),
        ("q=e", 0),
        ("region__exact=chicago", 3),
        ("region__exact=x", 0),
        ("p=1", 3),
    ],
)
def test_list_is_searched_and_filtered(admin: Client, query: str, count: int) -> None:
    put(3)

    response = admin.get(f"{LIST}?{query}")

    assert response.status_code == 200
    assert len(response.context["cl"].result_list) == count


def test_event_is_shown_and_cannot_be_changed(admin: Client) -> None:
    put(1)
    page = reverse("admin:analytics_event_change", args=["e0"])

    shown = admin.get(page)
    changed = admin.post(page, {"external_id": "other"})

    assert "police" in shown.content.decode()
    assert "hand" in shown.content.decode()
    assert changed.status_code == 403


def test_event_that_is_not_there_leads_back(admin: Client) -> None:
    response = admin.get(reverse("admin:analytics_event_change", args=["e9"]))

    assert response.status_code == 302
