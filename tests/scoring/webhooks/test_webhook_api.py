"""Webhooks through the API: managed by their owner, tried, and looked after."""

from typing import Any

import msgspec
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from riskplatform.api.idempotency.models import IdempotentRequest
from riskplatform.api.keys.models import Organisation
from scoring.api.webhooks import DeliveryDetail, WebhookWithSecret
from scoring.models import Webhook, WebhookDelivery
from scoring.services.webhooks.sending import secret_of
from tests.scoring.webhooks.queueing import make_delivery, make_webhook

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
ADDRESS = "/api/v1/webhooks"
URL = "https://hooks.example.com/alerts"


def post(client: Client, **parts: Any) -> Any:
    body = {"name": "Pager", "url": URL, **parts}
    return client.post(ADDRESS, body, content_type="application/json")


def patch(client: Client, webhook: Webhook, **parts: Any) -> Any:
    address = f"{ADDRESS}/{webhook.pk}"
    return client.patch(address, parts, content_type="application/json")


def test_the_secret_is_shown_once(client: Client) -> None:
    made = post(client)
    assert made.status_code == 201
    shown = msgspec.json.decode(made.content, type=WebhookWithSecret)
    webhook = Webhook.objects.get()
    assert (shown.id, shown.secret) == (webhook.pk, secret_of(webhook))
    read = client.get(f"{ADDRESS}/{webhook.pk}").json()
    assert "secret" not in read
    assert read == {k: v for k, v in made.json().items() if k != "secret"}


def test_a_creation_is_carried_out_once_and_its_secret_not_stored(
    client: Client,
) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first, second = (
        client.post(
            ADDRESS,
            {"name": "Pager", "url": URL},
            content_type="application/json",
            headers=headers,
        ).json()
        for _ in range(2)
    )
    assert first == second
    stored = bytes(IdempotentRequest.objects.get().body or b"")
    assert first["secret"].encode() not in stored
    assert b"secret_number" in stored


def test_a_rotation_shows_another_secret(client: Client, acme: Organisation) -> None:
    webhook = make_webhook(acme)
    before = secret_of(webhook)
    rotated = client.post(f"{ADDRESS}/{webhook.pk}/rotate")
    webhook.refresh_from_db()
    assert rotated.status_code == 200
    assert rotated.json()["secret"] == secret_of(webhook) != before


def test_a_webhook_is_changed_and_deleted(client: Client, acme: Organisation) -> None:
    webhook = make_webhook(acme)
    changed = patch(client, webhook, url="https://b.example.com/", is_enabled=False)
    assert (changed.json()["url"], changed.json()["is_enabled"]) == (
        *("https://b.example.com/", False),
    )
    assert client.delete(f"{ADDRESS}/{webhook.pk}").status_code == 204
    assert client.get(ADDRESS).json()["results"] == []


def test_a_test_message_is_queued_and_its_outcome_told(
    client: Client, acme: Organisation
) -> None:
    webhook = make_webhook(acme)
    queued = client.post(f"{ADDRESS}/{webhook.pk}/test")
    assert queued.status_code == 202
    delivery = msgspec.json.decode(queued.content, type=DeliveryDetail)
    assert (delivery.occasion, delivery.state) == ("webhook.test", "pending")
    listed = client.get(f"{ADDRESS}/{webhook.pk}/deliveries").json()["results"]
    assert listed == [queued.json()]


def test_the_dead_are_listed_and_sent_again(client: Client, acme: Organisation) -> None:
    webhook = make_webhook(acme)
    dead, waiting = make_delivery(webhook), make_delivery(webhook)
    WebhookDelivery.objects.filter(pk=dead.pk).update(state="dead", attempts=14)
    listed = client.get(f"{ADDRESS}/{webhook.pk}/deliveries?state=dead").json()
    assert [row["id"] for row in listed["results"]] == [str(dead.pk)]
    again = client.post(f"/api/v1/deliveries/{dead.pk}/redeliver")
    assert again.status_code == 202
    assert (again.json()["state"], again.json()["attempts"]) == ("pending", 0)
    refused = client.post(f"/api/v1/deliveries/{waiting.pk}/redeliver")
    assert (refused.status_code, refused.json()["code"]) == (409, "delivery_pending")


@pytest.mark.parametrize("count", [1, 20])
def test_lists_cost_the_same_for_any_number_of_rows(
    count: int,
    client: Client,
    acme: Organisation,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    webhooks = [make_webhook(acme, name=f"Hook {n}") for n in range(count)]
    for _ in range(count):
        make_delivery(webhooks[0])
    client.get(ADDRESS)
    with django_assert_num_queries(2):
        assert len(client.get(ADDRESS).json()["results"]) == count
    with django_assert_num_queries(3):
        sent = client.get(f"{ADDRESS}/{webhooks[0].pk}/deliveries").json()
    assert len(sent["results"]) == count
