"""Webhooks: list, make, read, change, delete, rotate, try, and what was sent."""

from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import (
    body_schema,
    decode_body,
    decode_query,
    query_parameters,
)
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import PageQuery, page_of
from scoring.api.alert_access import WebhookView
from scoring.api.webhook_schemas import (
    DeliveryDetail,
    DeliveryList,
    DeliveryQuery,
    NewWebhook,
    WebhookChange,
    WebhookDetail,
    WebhookList,
    WebhookWithSecret,
)
from scoring.models import Webhook, WebhookDelivery
from scoring.selectors.webhooks import get_webhook, list_deliveries, list_webhooks
from scoring.services.webhooks.registration import (
    change_webhook,
    create_webhook,
    delete_webhook,
    queue_test_message,
    redeliver,
    rotate_secret,
)
from scoring.services.webhooks.secrets import secret_of


class WebhookListView(WebhookView):
    @extend_schema(
        operation_id="webhooks_list",
        parameters=query_parameters(PageQuery),
        responses={(200, "application/json"): body_schema(WebhookList)},
    )
    def get(self, request: Request) -> Response:
        query = decode_query(request, PageQuery)
        webhooks = list_webhooks(get_principal(request).organisation)
        return Response(page_of(webhooks, query, _webhook))

    @extend_schema(
        operation_id="webhooks_create",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(NewWebhook)},
        responses={(201, "application/json"): body_schema(WebhookWithSecret)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Make a webhook; the secret that signs its messages is shown only here.

        A message is a POST with a JSON body. `X-Riskplatform-Delivery` is its id,
        the same at every attempt: a message may come twice. To check
        `X-Riskplatform-Signature: t=…,v1=…`, compare any `v1` with the hexadecimal
        HMAC-SHA256, by the secret, of `t`, a full stop and the body as it came, and
        refuse a `t` (Unix seconds) that is older than five minutes. Answer 2xx
        within ten seconds; 410 ends the message, anything else has it tried again.
        """
        asked = decode_body(request, NewWebhook)
        organisation = get_principal(request).organisation
        answer = answer_creation(
            request,
            lambda: _numbered(
                create_webhook(
                    organisation,
                    name=asked.name,
                    url=asked.url,
                    is_enabled=asked.is_enabled,
                )
            ),
        )
        return _with_secret(answer)


class WebhookDetailView(WebhookView):
    @extend_schema(
        operation_id="webhooks_read",
        responses={(200, "application/json"): body_schema(WebhookDetail)},
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        return Response(_webhook(_webhook_of(request, webhook_id)))

    @extend_schema(
        operation_id="webhooks_update",
        request={"application/json": body_schema(WebhookChange)},
        responses={(200, "application/json"): body_schema(WebhookDetail)},
    )
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        asked = decode_body(request, WebhookChange)
        changed = change_webhook(
            webhook_id,
            organisation=get_principal(request).organisation,
            name=None if asked.name is UNSET else asked.name,
            url=None if asked.url is UNSET else asked.url,
            is_enabled=None if asked.is_enabled is UNSET else asked.is_enabled,
        )
        return Response(_webhook(changed))

    @extend_schema(operation_id="webhooks_delete", responses={204: None})
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        organisation = get_principal(request).organisation
        delete_webhook(webhook_id, organisation=organisation)
        return Response(status=204)


class WebhookRotateView(WebhookView):
    @extend_schema(
        operation_id="webhooks_rotate",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={(200, "application/json"): body_schema(WebhookWithSecret)},
    )
    def post(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Give a new secret; for a day, messages are signed with both."""
        organisation = get_principal(request).organisation
        answer = answer_creation(
            request,
            lambda: _numbered(rotate_secret(webhook_id, organisation=organisation)),
            status=200,
        )
        return _with_secret(answer)


class WebhookTestView(WebhookView):
    @extend_schema(
        operation_id="webhooks_test",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={(202, "application/json"): body_schema(DeliveryDetail)},
    )
    def post(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Queue a message that tries the receiver; `deliveries` tells the outcome."""
        organisation = get_principal(request).organisation
        return answer_creation(
            request,
            lambda: _delivery(
                queue_test_message(webhook_id, organisation=organisation)
            ),
            status=202,
        )


class WebhookDeliveriesView(WebhookView):
    @extend_schema(
        operation_id="webhooks_deliveries",
        parameters=query_parameters(DeliveryQuery),
        responses={(200, "application/json"): body_schema(DeliveryList)},
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        """List what was sent, the newest first; `state=dead` is what was given up."""
        query = decode_query(request, DeliveryQuery)
        webhook = _webhook_of(request, webhook_id)
        deliveries = list_deliveries(webhook, state=query.state)
        return Response(page_of(deliveries, query, _delivery, newest_first=True))


class RedeliverView(WebhookView):
    @extend_schema(
        operation_id="deliveries_redeliver",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={(202, "application/json"): body_schema(DeliveryDetail)},
    )
    def post(self, request: Request, delivery_id: UUID) -> HttpResponse:
        """Send once more, under the same id, what was sent or given up."""
        organisation = get_principal(request).organisation
        return answer_creation(
            request,
            lambda: _delivery(redeliver(delivery_id, organisation=organisation)),
            status=202,
        )


def _webhook_of(request: Request, webhook_id: UUID) -> Webhook:
    organisation = get_principal(request).organisation
    return get_webhook(webhook_id, organisation=organisation)


def _webhook(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": str(webhook.pk),
        "name": webhook.name,
        "url": webhook.url,
        "is_enabled": webhook.is_enabled,
        "rotated_at": webhook.rotated_at,
        "created_at": webhook.created_at,
    }


def _numbered(webhook: Webhook) -> dict[str, Any]:
    return {**_webhook(webhook), "secret_number": webhook.secret_number}


def _with_secret(answer: HttpResponse) -> HttpResponse:
    """Derive the secret after the answer was stored: a secret is stored nowhere."""
    document = orjson.loads(answer.content)
    number = document.pop("secret_number")
    document["secret"] = secret_of(Webhook(pk=document["id"], secret_number=number))
    answer.content = orjson.dumps(document)
    return answer


def _delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    is_pending = delivery.state == WebhookDelivery.State.PENDING
    change = delivery.change
    return {
        "id": str(delivery.pk),
        "webhook_id": str(delivery.webhook_id),
        "occasion": delivery.occasion,
        "alert_id": None if change is None else str(change.alert_id),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.due_at if is_pending else None,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "created_at": delivery.created_at,
        "sent_at": delivery.sent_at,
    }
