"""Staff see what waits and why, and can ship again what was parked."""

from collections.abc import Callable

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.models import ParkedEvent
from analytics.shipping.shipper import ShippingReport
from tests.support.event_payloads import make_event, make_events, stored
from tests.support.one_region import Post

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_store", "one_region", "fresh_backlog"),
]
Ship = Callable[[], ShippingReport]
PAGES = [
    reverse(f"admin:analytics_{name}_changelist")
    for name in ("ingestbatch", "shipment", "parkedevent")
]


@pytest.mark.parametrize("page", PAGES)
def test_lists_cost_the_same_for_any_number_of_rows(
    admin: Client, post: Post, ship: Ship, page: str
) -> None:
    costs = []
    for count in (1, 20):
        for number in range(count):
            post([make_event(100 * count + number)])
            ship()
        with CaptureQueriesContext(connection) as queries:
            admin.get(page)
        costs.append(len(queries))

    assert costs[0] == costs[1]


def test_the_list_of_shipments_tells_the_backlog(admin: Client, post: Post) -> None:
    post(make_events(3))

    page = admin.get(PAGES[1]).content.decode()

    assert "3 events wait, the oldest for" in page


def test_a_parked_event_is_shipped_again(admin: Client, post: Post, ship: Ship) -> None:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(
            "ALTER TABLE analytics_event"
            " ADD CONSTRAINT no_poison CHECK event_type != 'poison'"
        )
        try:
            post([make_event(0), make_event(1, event_type="poison")])
            ship()
            parked = ParkedEvent.objects.get()
            action = {"action": "ship_again", "_selected_action": [parked.pk]}
            refused = admin.post(PAGES[2], action, follow=True)
        finally:
            cursor.execute("ALTER TABLE analytics_event DROP CONSTRAINT no_poison")
    assert b"0 events shipped, 1 still parked." in refused.content

    admin.post(PAGES[2], action)

    assert not ParkedEvent.objects.exists()
    assert stored() == [("e0",), ("e1",)]
