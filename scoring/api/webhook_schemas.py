"""What the API of webhooks takes and gives."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from riskplatform.api.paging import PageQuery
from scoring.api.portfolio_schemas import Name
from scoring.api.schemas import AwareTime

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


class WebhookWithSecret(WebhookDetail):
    """The one chance to see the secret: it is shown when it is new."""

    secret: str


class WebhookList(Struct):
    results: list[WebhookDetail]
    next: str | None


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


class DeliveryList(Struct):
    results: list[DeliveryDetail]
    next: str | None
