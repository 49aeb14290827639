"""A sender leases a message; the lease of one that died ends in time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.db.models import F
from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from scoring.models import WebhookDelivery
from scoring.services.webhooks import sending as webhook_sending
from scoring.services.webhooks.registration import forget_sent_messages
from scoring.services.webhooks.sending import send_due_deliveries
from tests.scoring.webhooks.queueing import make_delivery, make_webhook
from tests.scoring.webhooks.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]
N_SENDERS = 4
N_MESSAGES = 12


def claim() -> list[WebhookDelivery]:
    return WebhookDelivery.objects.sendable().select_related("webhook").claim()


def send_at(start: Barrier) -> int:
    try:
        start.wait(timeout=10)
        return send_due_deliveries()["sent"]
    finally:
        connections.close_all()


def test_senders_at_once_send_each_message_once(
    acme: Organisation, receiver: Receiver
) -> None:
    webhook = make_webhook(acme, url=receiver.url)
    expected = {str(make_delivery(webhook).pk) for _ in range(N_MESSAGES)}
    start = Barrier(N_SENDERS)
    with ThreadPoolExecutor(N_SENDERS) as threads:
        counts = list(threads.map(send_at, [start] * N_SENDERS))
    assert sum(counts) == N_MESSAGES
    ids = [got.headers["X-Riskplatform-Delivery"] for got in receiver.received]
    assert sorted(ids) == sorted(expected)


def test_a_message_whose_sender_died_is_sent_when_the_lease_has_run_out(
    acme: Organisation, receiver: Receiver
) -> None:
    make_delivery(make_webhook(acme, url=receiver.url))
    assert len(claim()) == 1
    assert send_due_deliveries()["sent"] == 0
    WebhookDelivery.objects.update(lease_until=F("lease_until") - WebhookDelivery.lease)
    assert send_due_deliveries()["sent"] == 1


def test_a_sender_that_was_too_slow_changes_nothing(
    acme: Organisation, receiver: Receiver
) -> None:
    delivery = make_delivery(make_webhook(acme, url=receiver.url))
    (slow,) = claim()
    WebhookDelivery.objects.update(lease_until=timezone.now())
    assert send_due_deliveries()["sent"] == 1
    webhook_sending._note(slow, error="late")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.last_error) == ("sent", "")


def test_what_there_is_no_time_for_is_handed_back(
    acme: Organisation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sending, "ROUND_S", -1.0)
    delivery = make_delivery(make_webhook(acme, url=receiver.url))
    report = send_due_deliveries()
    assert (report["sent"], report["pending"]) == (0, 0)
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.lease_until) == (0, None)


def test_a_webhook_that_is_switched_off_gets_nothing(
    acme: Organisation, receiver: Receiver
) -> None:
    webhook = make_webhook(acme, url=receiver.url)
    make_delivery(webhook)
    webhook.is_enabled = False
    webhook.save()
    assert send_due_deliveries()["sent"] == 0
    assert receiver.received == []


def test_what_is_not_due_waits(acme: Organisation, receiver: Receiver) -> None:
    delivery = make_delivery(make_webhook(acme, url=receiver.url))
    delivery.due_at = timezone.now() + timedelta(minutes=1)
    delivery.save()
    assert send_due_deliveries()["sent"] == 0


def test_what_arrived_a_while_ago_is_forgotten(
    acme: Organisation, receiver: Receiver
) -> None:
    webhook = make_webhook(acme, url=receiver.url)
    make_delivery(webhook)
    assert send_due_deliveries()["sent"] == 1
    assert forget_sent_messages() == 0
    WebhookDelivery.objects.update(sent_at=F("sent_at") - timedelta(days=31))
    dead = make_delivery(webhook)
    WebhookDelivery.objects.filter(pk=dead.pk).update(state="dead")
    assert forget_sent_messages() == 1
    assert WebhookDelivery.objects.get() == dead
