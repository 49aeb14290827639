"""Steps in the life of alerts: each is recorded and sent to the webhooks."""

from collections.abc import Sequence
from datetime import datetime

from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.models import Alert, AlertChange, Webhook, WebhookDelivery
from scoring.services.webhooks.messages import message_of_change


def record_changes(
    alerts: Sequence[Alert],
    *,
    kind: AlertChange.Kind,
    now: datetime,
    actor: str = "",
    snoozed_until: datetime | None = None,
) -> None:
    """Note what became of alerts of one organisation, and queue the messages.

    To be called in the transaction that changes the alerts: a message leaves if,
    and only if, the change is committed.
    """
    if not alerts:
        return
    changes = AlertChange.objects.bulk_create(
        [
            AlertChange(
                alert=alert,
                kind=kind,
                actor=actor,
                changed_at=now,
                snoozed_until=snoozed_until,
            )
            for alert in alerts
        ]
    )
    organisation_id = alerts[0].rule.organisation_id
    publish_changes(change_names.alerts_of(organisation_id))
    _queue_messages(changes, organisation_id)


def _queue_messages(changes: Sequence[AlertChange], organisation_id: int) -> None:
    webhooks = list(
        Webhook.objects.filter(organisation_id=organisation_id, is_enabled=True)
    )
    WebhookDelivery.objects.bulk_create(
        [
            message_of_change(webhook, change)
            for change in changes
            for webhook in webhooks
        ],
        batch_size=500,
    )
