"""Webhooks: list, make, read, change, delete, rotate, try, and what was sent."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, cast
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router
from riskplatform.api.inputs import given_in
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import Page, PageQuery, page_of
from riskplatform.kernel.instants import AwareTime
from scoring.api.alert_rules import WRITERS
from scoring.api.schemas import Name
from scoring.models import Webhook, WebhookDelivery
from scoring.selectors.alerts import get_webhook, list_deliveries, list_webhooks
from scoring.services.webhooks.registration import (
    change_webhook,
    create_webhook,
    delete_webhook,
    queue_test_message,
    redeliver,
    rotate_secret,
)
from scoring.services.webhooks.sending import secret_of

# Who manages alerts manages webhooks, and nobody else sees them.
router = Router()
WEBHOOK = "webhooks/<uuid:webhook_id>"

WebhookUrl = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        description="An https address with a public host, port 443 or 8443.",
    ),
]
DeliveryState = Literal["pending", "sent", "dead"]


class NewWebhook(Struct, forbid_unknown_fields=True):
    name: Name
    url: WebhookUrl
    is_enabled: bool = True


class WebhookChange(Struct, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    url: WebhookUrl | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET


class WebhookDetail(Struct):
    id: UUID
    name: str
    url: str
    is_enabled: bool
    rotated_at: AwareTime | None
    created_at: AwareTime

    @classmethod
    def of(cls, webhook: Webhook, **more: Any) -> Self:
        return cls(
            id=webhook.pk,
            name=webhook.name,
            url=webhook.url,
            is_enabled=webhook.is_enabled,
            rotated_at=webhook.rotated_at,
            created_at=webhook.created_at,
            **more,
        )


class WebhookWithSecret(WebhookDetail):
    """The one chance to see the secret: it is shown when it is new."""

    secret: str


class NumberedWebhook(WebhookDetail):
    """What is stored of such an answer: the secret itself is stored nowhere."""

    secret_number: int


class DeliveryQuery(PageQuery, forbid_unknown_fields=True):
    state: (
        Annotated[DeliveryState, Meta(description="dead: given up for good.")] | None
    ) = None


class DeliveryDetail(Struct):
    id: UUID
    webhook_id: UUID
    occasion: Annotated[str, Meta(description="alert.opened, webhook.test, …")]
    alert_id: UUID | None
    state: DeliveryState
    attempts: int
    next_attempt_at: Annotated[AwareTime | None, Meta(description="If it is pending.")]
    last_status: Annotated[int | None, Meta(description="HTTP status of the answer.")]
    last_error: str
    created_at: AwareTime
    sent_at: AwareTime | None

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> Self:
        is_pending = delivery.state == WebhookDelivery.State.PENDING
        change = delivery.change
        return cls(
            id=delivery.pk,
            webhook_id=delivery.webhook_id,
            occasion=delivery.occasion,
            alert_id=None if change is None else change.alert_id,
            state=cast("DeliveryState", delivery.state),
            attempts=delivery.attempts,
            next_attempt_at=delivery.due_at if is_pending else None,
            last_status=delivery.last_status,
            last_error=delivery.last_error,
            created_at=delivery.created_at,
            sent_at=delivery.sent_at,
        )


@router.get("webhooks", WRITERS)
def webhooks_list(request: Request, query: PageQuery) -> Page[WebhookDetail]:
    """List the webhooks of the organisation."""
    webhooks = list_webhooks(get_principal(request).organisation)
    return page_of(webhooks, query, WebhookDetail.of)


@router.post("webhooks", WRITERS, status=201)
def webhooks_create(request: Request, body: NewWebhook) -> Once[WebhookWithSecret]:
    """Make a webhook; the secret that signs its messages is shown only here.

    A message is a POST with a JSON body. `X-Riskplatform-Delivery` is its id,
    the same at every attempt: a message may come twice. To check
    `X-Riskplatform-Signature: t=…,v1=…`, compare any `v1` with the hexadecimal
    HMAC-SHA256, by the secret, of `t`, a full stop and the body as it came, and
    refuse a `t` (Unix seconds) that is older than five minutes. Answer 2xx
    within ten seconds; 410 ends the message, anything else has it tried again.
    """
    organisation = get_principal(request).organisation
    return _with_secret(lambda: create_webhook(organisation, **given_in(body)))


@router.get(WEBHOOK, WRITERS)
def webhooks_read(request: Request, webhook_id: UUID) -> WebhookDetail:
    """Give one webhook, without its secret."""
    return WebhookDetail.of(_webhook_of(request, webhook_id))


@router.patch(WEBHOOK, WRITERS)
def webhooks_update(
    request: Request, webhook_id: UUID, body: WebhookChange
) -> WebhookDetail:
    """Change what is given."""
    organisation = get_principal(request).organisation
    changed = change_webhook(
        webhook_id, organisation=organisation, changes=given_in(body)
    )
    return WebhookDetail.of(changed)


@router.delete(WEBHOOK, WRITERS)
def webhooks_delete(request: Request, webhook_id: UUID) -> None:
    """Delete it with its messages."""
    delete_webhook(webhook_id, organisation=get_principal(request).organisation)


@router.post(f"{WEBHOOK}/rotate", WRITERS)
def webhooks_rotate(request: Request, webhook_id: UUID) -> Once[WebhookWithSecret]:
    """Give a new secret; for a day, messages are signed with both."""
    organisation = get_principal(request).organisation
    return _with_secret(lambda: rotate_secret(webhook_id, organisation=organisation))


@router.post(f"{WEBHOOK}/test", WRITERS, status=202)
def webhooks_test(request: Request, webhook_id: UUID) -> Once[DeliveryDetail]:
    """Queue a message that tries the receiver; `deliveries` shows the outcome."""
    organisation = get_principal(request).organisation
    return Once(
        lambda: DeliveryDetail.of(
            queue_test_message(webhook_id, organisation=organisation)
        )
    )


@router.get(f"{WEBHOOK}/deliveries", WRITERS)
def webhooks_deliveries(
    request: Request, webhook_id: UUID, query: DeliveryQuery
) -> Page[DeliveryDetail]:
    """List what was sent, the newest first; `state=dead` is what was given up."""
    webhook = _webhook_of(request, webhook_id)
    deliveries = list_deliveries(webhook, state=query.state)
    return page_of(deliveries, query, DeliveryDetail.of, newest_first=True)


@router.post("deliveries/<uuid:delivery_id>/redeliver", WRITERS, status=202)
def deliveries_redeliver(request: Request, delivery_id: UUID) -> Once[DeliveryDetail]:
    """Send once more, under the same id, what was sent or given up."""
    organisation = get_principal(request).organisation
    return Once(
        lambda: DeliveryDetail.of(redeliver(delivery_id, organisation=organisation))
    )


def _webhook_of(request: Request, webhook_id: UUID) -> Webhook:
    organisation = get_principal(request).organisation
    return get_webhook(webhook_id, organisation=organisation)


def _with_secret(change: Callable[[], Webhook]) -> Once[WebhookWithSecret]:
    """Derive the secret from what was stored, each time the answer is given."""

    def numbered() -> NumberedWebhook:
        webhook = change()
        return NumberedWebhook.of(webhook, secret_number=webhook.secret_number)

    def finish(stored: bytes) -> WebhookWithSecret:
        known = msgspec.json.decode(stored, type=NumberedWebhook)
        fields = msgspec.structs.asdict(known)
        webhook = Webhook(pk=known.id, secret_number=fields.pop("secret_number"))
        return WebhookWithSecret(**fields, secret=secret_of(webhook))

    return Once(numbered, finish=finish)
