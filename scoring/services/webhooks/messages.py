"""What webhooks get: one document a message, the same at every attempt."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from riskplatform.kernel.ids import uuid7
from scoring.models import AlertChange, Webhook, WebhookDelivery
from scoring.selectors.alert_documents import AlertDetail

TEST_OCCASION = "webhook.test"


class Message(Struct):
    id: UUID
    occasion: str
    happened_at: datetime


class AlertMessage(Message):
    sequence: int
    actor: str
    alert: AlertDetail


class TrialMessage(Message):
    webhook: str


def message_of_change(webhook: Webhook, change: AlertChange) -> WebhookDelivery:
    """Make, but do not store, the message that an alert has changed."""
    message = AlertMessage(
        id=uuid7(),
        occasion=f"alert.{change.kind}",
        happened_at=change.changed_at,
        sequence=change.pk,
        actor=change.actor,
        alert=AlertDetail.of(change.alert),
    )
    return _delivery(webhook, message, change)


def trial_message(webhook: Webhook, *, now: datetime) -> WebhookDelivery:
    """Make, but do not store, a message by which a client tries its receiver."""
    message = TrialMessage(
        id=uuid7(), occasion=TEST_OCCASION, happened_at=now, webhook=webhook.name
    )
    return _delivery(webhook, message, None)


def _delivery(
    webhook: Webhook, message: Message, change: AlertChange | None
) -> WebhookDelivery:
    return WebhookDelivery(
        pk=message.id,
        webhook=webhook,
        change=change,
        occasion=message.occasion,
        body=msgspec.json.encode(message),
        due_at=message.happened_at,
    )
