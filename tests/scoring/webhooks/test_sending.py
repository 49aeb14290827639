"""Messages are posted with a signature, and tried again until they have arrived."""

import hashlib
import hmac
from datetime import timedelta

import orjson
import pytest
from django.utils import timezone
from prometheus_client import REGISTRY

from riskplatform.api.keys.models import Organisation
from scoring.models import WebhookDelivery
from scoring.services.webhooks.sending import (
    MAX_ATTEMPTS,
    secret_of,
    send_due_deliveries,
)
from tests.scoring.webhooks.queueing import make_delivery, make_due, make_webhook
from tests.scoring.webhooks.receiver import Receiver

# Messages are sent by threads with connections of their own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]
State = WebhookDelivery.State


def outcomes(outcome: str) -> float:
    name = "scoring_webhook_deliveries_total"
    return REGISTRY.get_sample_value(name, {"outcome": outcome}) or 0.0


def test_a_message_arrives_signed_and_under_its_id(
    acme: Organisation, receiver: Receiver
) -> None:
    webhook = make_webhook(acme, url=receiver.url)
    delivery, before = make_delivery(webhook), outcomes("sent")
    timed = REGISTRY.get_sample_value("scoring_alert_delivery_seconds_count") or 0

    assert send_due_deliveries()["sent"] == 1
    assert send_due_deliveries()["sent"] == 0

    (got,) = receiver.received
    assert (got.path, got.headers["Content-Type"]) == (
        *("/hook?a=1", "application/json"),
    )
    assert got.headers["X-Riskplatform-Delivery"] == str(delivery.pk)
    assert orjson.loads(got.body)["id"] == str(delivery.pk)
    stamp, signature = got.headers["X-Riskplatform-Signature"].split(",")
    signed = stamp.removeprefix("t=").encode() + b"." + got.body
    expected = hmac.new(secret_of(webhook).encode(), signed, hashlib.sha256)
    assert signature == f"v1={expected.hexdigest()}"
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.last_status) == (
        *("sent", 1, 200),
    )
    assert delivery.sent_at is not None
    assert outcomes("sent") == before + 1
    now_timed = REGISTRY.get_sample_value("scoring_alert_delivery_seconds_count")
    assert now_timed == timed + 1


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (500, 500, "The receiver answered 500."),
        (404, 404, "The receiver answered 404."),
        (302, 302, "The receiver answered 302."),
        ("reset", None, "ConnectionResetError: "),
        ("silence", None, "TimeoutError: "),
        ("drip", None, "TimeoutError: the receiver took too long"),
    ],
)
def test_a_failure_is_noted_and_tried_again_later(
    answer: int | str,
    status: int | None,
    error: str,
    acme: Organisation,
    receiver: Receiver,
) -> None:
    receiver.answer = answer
    delivery = make_delivery(make_webhook(acme, url=receiver.url))
    started = timezone.now()

    assert send_due_deliveries()["pending"] == 1

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert delivery.last_status == status
    assert delivery.last_error.startswith(error)
    wait = delivery.due_at - started
    assert timedelta(0) < wait <= timedelta(seconds=WebhookDelivery.first_wait_s + 10)
    assert len(receiver.received) == 1
    make_due(delivery)
    receiver.answer = 204
    assert send_due_deliveries()["sent"] == 1
    assert receiver.received[0].body == receiver.received[1].body


def test_a_message_is_given_up_after_its_last_attempt(
    acme: Organisation, receiver: Receiver
) -> None:
    receiver.answer = 503
    delivery = make_delivery(make_webhook(acme, url=receiver.url))
    WebhookDelivery.objects.update(attempts=MAX_ATTEMPTS - 1)
    assert send_due_deliveries()["dead"] == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("dead", MAX_ATTEMPTS)


def test_a_receiver_that_is_gone_is_not_asked_again(
    acme: Organisation, receiver: Receiver
) -> None:
    receiver.answer = 410
    make_delivery(make_webhook(acme, url=receiver.url))
    assert send_due_deliveries()["dead"] == 1


def test_nobody_listening_is_a_failure_like_another(acme: Organisation) -> None:
    delivery = make_delivery(make_webhook(acme, url="http://127.0.0.1:9/"))
    assert send_due_deliveries()["pending"] == 1
    delivery.refresh_from_db()
    assert delivery.last_error.startswith("Messages are sent to https addresses only")


def test_a_receiver_that_is_down_is_asked_once_a_round(
    acme: Organisation, receiver: Receiver
) -> None:
    receiver.answer = 500
    webhook = make_webhook(acme, url=receiver.url)
    for _ in range(3):
        make_delivery(webhook)
    assert send_due_deliveries()["pending"] == 3
    assert len(receiver.received) == 1
    waits = WebhookDelivery.objects.values_list("due_at", flat=True)
    assert len(set(waits)) == 3


def test_one_receiver_that_is_down_delays_no_other(
    acme: Organisation, receiver: Receiver
) -> None:
    make_delivery(make_webhook(acme, url="https://127.0.0.1:9/", name="Down"))
    make_delivery(make_webhook(acme, url=receiver.url))
    report = send_due_deliveries()
    assert (report["sent"], report["pending"]) == (1, 1)


def test_delays_grow_to_a_day_and_are_spread_out() -> None:
    for attempt in range(1, 40):
        longest = min(24 * 3_600.0, 60.0 * 2 ** (attempt - 1))
        tried = WebhookDelivery(attempts=attempt)
        assert all(0 <= tried.backoff_s() <= longest for _ in range(20))
    assert len({tried.backoff_s() for _ in range(20)}) == 20
