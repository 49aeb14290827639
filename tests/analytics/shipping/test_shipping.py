"""Shipping: at least once on the wire, exactly once in the store."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.models import F
from django.utils import timezone
from prometheus_client import REGISTRY

from analytics.errors import EventStoreUnavailableError
from analytics.models import InboxEvent, IngestBatch, ParkedEvent, Shipment
from analytics.shipping import shipper
from analytics.shipping.delivery import deliver
from analytics.shipping.shipments import form_shipments, read_rows
from analytics.shipping.shipper import ShippingReport, ship_due
from tests.support.event_payloads import (
    make_event,
    make_events,
    physical_row_count,
    stored,
)
from tests.support.one_region import Post

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_store"),
    pytest.mark.databases,
]
Ship = Callable[[], ShippingReport]


@pytest.fixture
def refusing_store() -> Iterator[None]:
    """Let ClickHouse refuse what a constraint forbids, as it would a bad row."""
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(
            "ALTER TABLE analytics_event"
            " ADD CONSTRAINT no_poison CHECK event_type != 'poison'"
        )
        yield
        cursor.execute("ALTER TABLE analytics_event DROP CONSTRAINT no_poison")


def test_a_shipment_that_is_sent_again_adds_not_even_a_row(post: Post) -> None:
    post(make_events(300))
    form_shipments()
    shipment = Shipment.objects.get()

    for _ in range(3):
        list(deliver(read_rows(shipment), token=str(shipment.pk)))

    # Without FINAL: the token is enough, no merge has to come first.
    assert physical_row_count() == 300


def test_the_time_until_events_are_visible_is_measured_for_each_batch(
    post: Post,
) -> None:
    def read(suffix: str, **labels: str) -> float:
        name = f"analytics_visible_seconds_{suffix}"
        return REGISTRY.get_sample_value(name, labels) or 0.0

    for number in range(2):
        post([make_event(number)])
    a_minute = timedelta(seconds=60)
    IngestBatch.objects.update(received_at=F("received_at") - a_minute)
    before = read("count"), read("bucket", le="30.0"), read("sum")
    ship_due()
    assert read("count") == before[0] + 2
    assert read("bucket", le="30.0") == before[1]
    assert read("sum") >= before[2] + 120


def test_batches_are_put_into_a_shipment_once(post: Post) -> None:
    for number in range(3):
        post([make_event(number)])

    assert [form_shipments() for _ in range(2)] == [1, 0]
    assert Shipment.objects.get().row_count == 3


def test_a_dead_store_only_delays(
    post: Post, ship: Ship, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(make_events(10))

    def refuse(*_: object, **__: object) -> None:
        raise EventStoreUnavailableError("ClickHouse does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr("analytics.shipping.delivery.insert_columns", refuse)
        report = ship()

    shipment = Shipment.objects.get()
    assert report == ShippingReport(has_failed=True)
    assert (shipment.state, shipment.attempts) == ("waiting", 1)
    assert shipment.last_error == "ClickHouse does not answer."
    assert shipment.due_at > timezone.now() - timedelta(seconds=1)
    Shipment.objects.update(due_at=timezone.now())
    assert ship().event_count == 10
    assert len(stored()) == 10


def test_delays_grow_to_a_minute_and_differ() -> None:
    late = Shipment(attempts=10_000)

    assert 0.5 <= Shipment(attempts=1).backoff_s() <= 1.0
    assert 30.0 <= late.backoff_s() <= 60.0
    assert late.backoff_s() != late.backoff_s()


def test_who_dies_after_the_insert_is_succeeded_when_the_lease_ends(
    post: Post, ship: Ship, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(make_events(50))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shipper, "_acknowledge", die)
        with pytest.raises(KeyboardInterrupt):
            ship()

    assert physical_row_count() == 50
    assert ship() == ShippingReport()
    Shipment.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert ship().event_count == 50
    assert physical_row_count() == 50


def test_who_lost_the_lease_acknowledges_nothing(post: Post) -> None:
    post([make_event(0)])
    form_shipments()
    [first] = Shipment.objects.waiting().claim()
    Shipment.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    [second] = Shipment.objects.waiting().claim()

    shipper._acknowledge(first, [])

    assert Shipment.objects.get().state == "waiting"
    shipper._acknowledge(second, [])
    assert Shipment.objects.get().state == "shipped"


def test_who_lost_the_lease_inserts_nothing_more(post: Post) -> None:
    post([make_event(0)])
    form_shipments()
    [first] = Shipment.objects.waiting().claim()
    Shipment.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert Shipment.objects.waiting().claim() != []

    assert shipper._attempt(first) is None
    assert physical_row_count() == 0


@pytest.mark.usefixtures("refusing_store")
def test_poison_is_parked_with_its_reason_and_the_rest_is_stored(
    post: Post, ship: Ship
) -> None:
    poison = {7, 8, 150}
    rows: list[dict[str, Any]] = make_events(200)
    for number in poison:
        rows[number]["event_type"] = "poison"
    post(rows)

    report = ship()

    assert (report.event_count, report.parked_count) == (197, 3)
    assert len(stored()) == physical_row_count() == 197
    parked = ParkedEvent.objects.order_by("event__row_index")
    assert [row.event.row_index for row in parked] == sorted(poison)
    assert all("no_poison" in row.reason for row in parked)
    assert not IngestBatch.objects.waiting().exists()
    assert InboxEvent.objects.count() == 200
    assert ship_due() == ShippingReport()
