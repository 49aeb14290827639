"""Webhooks and messages that wait to be sent."""

from datetime import timedelta

from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from scoring.models import Webhook, WebhookDelivery
from scoring.services.webhooks.registration import queue_test_message


def make_webhook(
    organisation: Organisation,
    *,
    url: str = "https://hooks.example.com/alerts",
    name: str = "Pager",
) -> Webhook:
    return Webhook.objects.create(organisation=organisation, url=url, name=name)


def make_delivery(webhook: Webhook) -> WebhookDelivery:
    return queue_test_message(webhook.pk, organisation=webhook.organisation)


def make_due(delivery: WebhookDelivery) -> None:
    """Let the time of the next attempt come."""
    past = timezone.now() - timedelta(seconds=1)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(due_at=past)
