"""Alert rules, alerts, and the webhooks that are told of them."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin, ReadOnlyInline
from scoring.admin.columns import column
from scoring.errors import AlertResolvedError
from scoring.models import Alert, AlertChange, AlertRule, Webhook, WebhookDelivery
from scoring.selectors.alerts import get_rule_performance
from scoring.services.alerts.states import acknowledge_alert, snooze_alert
from scoring.services.webhooks.registration import queue_again

SNOOZE = timedelta(days=1)


@admin.register(AlertRule)
class AlertRuleAdmin(ReadOnlyAdmin[AlertRule]):
    """Clients write their rules through the API, which checks them."""

    list_display = (
        *("name", "organisation", "region", "metric", "comparison", "threshold"),
        *("severity", "is_enabled", column("unresolved_count", "unresolved")),
        *("precision", "held_back_count"),
    )
    list_filter = ("is_enabled", "metric", "severity", "region")
    list_select_related = ("organisation", "region")
    search_fields = ("name", "organisation__slug")
    exclude = ("cells",)
    readonly_fields = ("last_forecast", "held_back_count", "performance")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        is_unresolved = ~Q(alerts__state=Alert.State.RESOLVED)
        rules = AlertRule.objects.defer("cells", "region__boundary").annotate(
            unresolved_count=Count(
                "alerts", filter=Q(alerts__isnull=False) & is_unresolved
            ),
            scored_count=Count("alerts", filter=Q(alerts__was_right__isnull=False)),
            right_count=Count("alerts", filter=Q(alerts__was_right=True)),
        )
        return rules.order_by("-pk")

    @admin.display(description="precision")
    def precision(self, rule: AlertRule) -> str:
        counts = vars(rule)
        if not counts["scored_count"]:
            return "-"
        share = counts["right_count"] / counts["scored_count"]
        return f"{share:.0%} of {counts['scored_count']}"

    @admin.display(description="performance")
    def performance(self, rule: AlertRule) -> str:
        found = get_rule_performance(rule)
        if found.precision is None:
            return "No alert has been scored yet."
        lead = found.median_lead_time_s
        hours = "unknown" if lead is None else f"{lead / 3_600:.1f} h"
        return (
            f"{found.right_count} of {found.scored_count} alerts were right;"
            f" median lead time {hours}."
        )


class AlertChangeInline(ReadOnlyInline[AlertChange, Alert]):
    model = AlertChange
    fields = ("kind", "actor", "changed_at", "snoozed_until")
    readonly_fields = fields


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
    paginator = EstimatedCountPaginator
    list_display = (
        *("rule", column("rule.organisation.slug", "organisation"), "state"),
        *("severity", "value", "opened_at", "last_seen_at", "was_right"),
        *("acknowledged_by", "snoozed_until"),
    )
    list_filter = ("state", "severity", "was_right")
    list_select_related = ("rule__organisation",)
    search_fields = ("rule__name",)
    # The areas may be thousands of cells.
    exclude = ("cells", "first_cells")
    inlines = (AlertChangeInline,)
    actions = ("acknowledge", "snooze")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        slim = Alert.objects.defer("cells", "first_cells", "rule__cells")
        return slim.order_by("-pk")

    @admin.action(description="Acknowledge", permissions=["operate"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        actor = request.user.get_username()

        def change(alert: Alert) -> None:
            owner = alert.rule.organisation
            acknowledge_alert(alert.pk, organisation=owner, actor=actor)

        self._change(request, queryset, change)

    @admin.action(description="Snooze for a day", permissions=["operate"])
    def snooze(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        actor, until = request.user.get_username(), timezone.now() + SNOOZE

        def change(alert: Alert) -> None:
            owner = alert.rule.organisation
            snooze_alert(alert.pk, organisation=owner, actor=actor, until=until)

        self._change(request, queryset, change)

    def _change(
        self,
        request: HttpRequest,
        queryset: QuerySet[Alert],
        change: Callable[[Alert], None],
    ) -> None:
        done_count = resolved_count = 0
        for alert in queryset.select_related("rule__organisation"):
            try:
                change(alert)
                done_count += 1
            except AlertResolvedError:
                resolved_count += 1
        self.message_user(
            request,
            f"{done_count} alerts changed, {resolved_count} were resolved already.",
            messages.WARNING if resolved_count else messages.SUCCESS,
        )


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin[Webhook]):
    """Clients write their webhooks through the API, which checks the address."""

    list_display = (
        *("name", "organisation", "url", "is_enabled"),
        *(column("pending_count", "pending"), column("dead_count", "dead")),
        *("rotated_at", "created_at"),
    )
    list_filter = ("is_enabled",)
    list_select_related = ("organisation",)
    search_fields = ("name", "url", "organisation__slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        pending, dead = (
            Count("deliveries", filter=Q(deliveries__state=state))
            for state in (WebhookDelivery.State.PENDING, WebhookDelivery.State.DEAD)
        )
        webhooks = Webhook.objects.annotate(pending_count=pending, dead_count=dead)
        return webhooks.order_by("-pk")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin[WebhookDelivery]):
    paginator = EstimatedCountPaginator
    list_display = (
        *("occasion", "webhook", column("webhook.organisation.slug", "organisation")),
        *("state", "attempts", "last_status", "last_error", "due_at", "sent_at"),
    )
    list_filter = ("state", "occasion")
    list_select_related = ("webhook__organisation",)
    search_fields = ("webhook__name",)
    exclude = ("body",)
    actions = ("redeliver",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        return WebhookDelivery.objects.defer("body").order_by("-pk")

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
