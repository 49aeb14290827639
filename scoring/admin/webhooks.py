"""Webhooks, and the messages that were sent, wait, or were given up."""

from typing import TypedDict

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django_stubs_ext import WithAnnotations

from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin
from scoring.models import Webhook, WebhookDelivery
from scoring.services.webhooks.registration import queue_again


class DeliveryCounts(TypedDict):
    pending_count: int
    dead_count: int


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin[Webhook]):
    """Clients write their webhooks through the API, which checks the address."""

    list_display = (
        "name",
        "organisation",
        "url",
        "is_enabled",
        "pending",
        "dead",
        "rotated_at",
        "created_at",
    )
    list_filter = ("is_enabled",)
    list_select_related = ("organisation",)
    search_fields = ("name", "url", "organisation__slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        state = WebhookDelivery.State
        webhooks = Webhook.objects.annotate(
            pending_count=Count(
                "deliveries", filter=Q(deliveries__state=state.PENDING)
            ),
            dead_count=Count("deliveries", filter=Q(deliveries__state=state.DEAD)),
        )
        return webhooks.order_by("-pk")

    @admin.display(ordering="pending_count")
    def pending(self, webhook: "WithAnnotations[Webhook, DeliveryCounts]") -> int:
        return webhook.pending_count

    @admin.display(ordering="dead_count")
    def dead(self, webhook: "WithAnnotations[Webhook, DeliveryCounts]") -> int:
        return webhook.dead_count


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin[WebhookDelivery]):
    paginator = EstimatedCountPaginator
    list_display = (
        "occasion",
        "webhook",
        "organisation",
        "state",
        "attempts",
        "last_status",
        "last_error",
        "due_at",
        "sent_at",
    )
    list_filter = ("state", "occasion")
    list_select_related = ("webhook__organisation",)
    search_fields = ("webhook__name",)
    exclude = ("body",)
    actions = ("redeliver",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        return WebhookDelivery.objects.defer("body").order_by("-pk")

    @admin.display(ordering="webhook__organisation")
    def organisation(self, delivery: WebhookDelivery) -> str:
        return delivery.webhook.organisation.slug

    @admin.action(description="Send once more", permissions=["operate"])
    def redeliver(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]
    ) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        count = queue_again(WebhookDelivery.objects.filter(pk__in=keys))
        self.message_user(
            request,
            f"{count} messages queued, {len(keys) - count} are queued already.",
            messages.SUCCESS,
        )
