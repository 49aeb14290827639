"""Writes of webhooks. Each function is one use case and one transaction."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from scoring.errors import (
    DeliveryNotFoundError,
    DeliveryPendingError,
    NameTakenError,
    QuotaError,
    WebhookNotFoundError,
    require,
)
from scoring.models import Webhook, WebhookDelivery
from scoring.services.unique import unique_or
from scoring.services.webhooks.requests import check_url
from scoring.services.webhooks.sending import trial_message

MAX_WEBHOOKS = 20
SENT_RETENTION = timedelta(days=30)


@transaction.atomic
def create_webhook(
    organisation: Organisation, *, name: str, url: str, is_enabled: bool = True
) -> Webhook:
    """Create a webhook; its secret is that of `secret_of`.

    Raises
    ------
    WebhookAddressError, NameTakenError, QuotaError
    """
    if Webhook.objects.for_organisation(organisation).count() >= MAX_WEBHOOKS:
        raise QuotaError(f"An organisation has up to {MAX_WEBHOOKS} webhooks.")
    check_url(url)
    webhook = Webhook(
        organisation=organisation, name=name, url=url, is_enabled=is_enabled
    )
    _save(webhook)
    return webhook


@transaction.atomic
def change_webhook(
    webhook_id: UUID, *, organisation: Organisation, changes: dict[str, Any]
) -> Webhook:
    """Change name, url or is_enabled; what waits goes to the new address."""
    webhook = _locked(webhook_id, organisation)
    if "url" in changes:
        check_url(changes["url"])
    for name, value in changes.items():
        setattr(webhook, name, value)
    _save(webhook)
    return webhook


@transaction.atomic
def delete_webhook(webhook_id: UUID, *, organisation: Organisation) -> None:
    """Delete a webhook, with its messages sent and unsent."""
    _locked(webhook_id, organisation).delete()


@transaction.atomic
def rotate_secret(webhook_id: UUID, *, organisation: Organisation) -> Webhook:
    """Give a webhook a new secret; messages bear both signatures for a day."""
    webhook = _locked(webhook_id, organisation)
    webhook.secret_number += 1
    webhook.rotated_at = timezone.now()
    webhook.save(update_fields=("secret_number", "rotated_at"))
    return webhook


@transaction.atomic
def queue_test_message(
    webhook_id: UUID, *, organisation: Organisation
) -> WebhookDelivery:
    """Queue a message by which a client tries its receiver."""
    webhook = _locked(webhook_id, organisation)
    delivery = trial_message(webhook, now=timezone.now())
    delivery.save(force_insert=True)
    return delivery


@transaction.atomic
def redeliver(delivery_id: UUID, *, organisation: Organisation) -> WebhookDelivery:
    """Send a message once more, under the same id, with all its attempts again.

    Raises
    ------
    DeliveryNotFoundError
    DeliveryPendingError
        It was neither sent nor given up yet.
    """
    mine = WebhookDelivery.objects.for_organisation(organisation)
    locked = mine.select_for_update(of=("self",)).select_related("webhook", "change")
    delivery = require(
        locked.filter(pk=delivery_id).first(),
        DeliveryNotFoundError(f"There is no delivery {delivery_id}."),
    )
    if not queue_again(WebhookDelivery.objects.filter(pk=delivery_id)):
        raise DeliveryPendingError("It is still being tried. Wait for the outcome.")
    delivery.refresh_from_db()
    return delivery


def queue_again(deliveries: QuerySet[WebhookDelivery]) -> int:
    """Queue what was sent or given up among some messages; returns how many."""
    finished = deliveries.exclude(state=WebhookDelivery.State.PENDING)
    return finished.update(
        state=WebhookDelivery.State.PENDING,
        attempts=0,
        due_at=timezone.now(),
        lease_until=None,
    )


def forget_sent_messages() -> int:
    """Delete what arrived a while ago; what was given up stays to be looked at."""
    old = WebhookDelivery.objects.filter(
        state=WebhookDelivery.State.SENT, sent_at__lt=timezone.now() - SENT_RETENTION
    )
    return old.delete()[0]


def _save(webhook: Webhook) -> None:
    reason = f"A webhook is called {webhook.name!r} already. Use another name."
    with unique_or(NameTakenError(reason, name=webhook.name)):
        webhook.save()


def _locked(webhook_id: UUID, organisation: Organisation) -> Webhook:
    mine = Webhook.objects.for_organisation(organisation).select_for_update()
    return require(
        mine.filter(pk=webhook_id).first(),
        WebhookNotFoundError(f"There is no webhook {webhook_id}."),
    )
