"""What webhooks are told: one document a message, the same at every attempt."""

from datetime import datetime
from typing import Any

import orjson

from riskplatform.kernel.ids import uuid7
from scoring.models import AlertChange, Webhook, WebhookDelivery
from scoring.selectors.alert_documents import alert_document

TEST_OCCASION = "webhook.test"


def message_of_change(webhook: Webhook, change: AlertChange) -> WebhookDelivery:
    """Make, but do not store, the message that an alert has changed."""
    content = {
        "sequence": change.pk,
        "actor": change.actor,
        "alert": alert_document(change.alert),
    }
    return _message(
        webhook,
        occasion=f"alert.{change.kind}",
        happened_at=change.changed_at,
        change=change,
        content=content,
    )


def trial_message(webhook: Webhook, *, now: datetime) -> WebhookDelivery:
    """Make, but do not store, a message by which a client tries its receiver."""
    return _message(
        webhook,
        occasion=TEST_OCCASION,
        happened_at=now,
        change=None,
        content={"webhook": webhook.name},
    )


def _message(
    webhook: Webhook,
    *,
    occasion: str,
    happened_at: datetime,
    change: AlertChange | None,
    content: dict[str, Any],
) -> WebhookDelivery:
    key = uuid7()
    document = {
        "id": str(key),
        "occasion": occasion,
        "happened_at": happened_at,
        **content,
    }
    return WebhookDelivery(
        pk=key,
        webhook=webhook,
        change=change,
        occasion=occasion,
        body=orjson.dumps(document, option=orjson.OPT_UTC_Z),
        due_at=happened_at,
    )
