"""Reads of webhooks and of what was sent to them."""

from uuid import UUID

from django.db.models import QuerySet

from riskplatform.api.keys.models import Organisation
from scoring.errors import WebhookNotFoundError
from scoring.models import Webhook, WebhookDelivery


def list_webhooks(organisation: Organisation) -> QuerySet[Webhook]:
    return Webhook.objects.for_organisation(organisation)


def get_webhook(webhook_id: UUID, *, organisation: Organisation) -> Webhook:
    """Find a webhook; somebody else's is as absent as one that is not."""
    try:
        return list_webhooks(organisation).get(pk=webhook_id)
    except Webhook.DoesNotExist:
        raise WebhookNotFoundError(f"There is no webhook {webhook_id}.") from None


def list_deliveries(
    webhook: Webhook, *, state: str | None = None
) -> QuerySet[WebhookDelivery]:
    deliveries = webhook.deliveries.select_related("change").defer("body")
    return deliveries if state is None else deliveries.filter(state=state)
