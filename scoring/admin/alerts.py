"""Alerts with their history, and what staff can do about them."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin, ReadOnlyInline
from scoring.errors import AlertResolvedError
from scoring.models import Alert, AlertChange
from scoring.services.alerts.states import acknowledge_alert, snooze_alert

SNOOZE = timedelta(days=1)


class AlertChangeInline(ReadOnlyInline[AlertChange, Alert]):
    model = AlertChange
    fields = ("kind", "actor", "changed_at", "snoozed_until")
    readonly_fields = fields


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
    paginator = EstimatedCountPaginator
    list_display = (
        "rule",
        "organisation",
        "state",
        "severity",
        "value",
        "opened_at",
        "last_seen_at",
        "was_right",
        "acknowledged_by",
        "snoozed_until",
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

    @admin.display(ordering="rule__organisation")
    def organisation(self, alert: Alert) -> str:
        return alert.rule.organisation.slug

    @admin.action(description="Acknowledge", permissions=["operate"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        actor = request.user.get_username()
        self._handle(
            request,
            queryset,
            lambda alert: acknowledge_alert(
                alert.pk, organisation=alert.rule.organisation, actor=actor
            ),
        )

    @admin.action(description="Snooze for a day", permissions=["operate"])
    def snooze(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        actor, until = request.user.get_username(), timezone.now() + SNOOZE
        self._handle(
            request,
            queryset,
            lambda alert: snooze_alert(
                alert.pk,
                organisation=alert.rule.organisation,
                actor=actor,
                until=until,
            ),
        )

    def _handle(
        self,
        request: HttpRequest,
        queryset: QuerySet[Alert],
        action: Callable[[Alert], object],
    ) -> None:
        done_count = resolved_count = 0
        for alert in queryset.select_related("rule__organisation"):
            try:
                action(alert)
                done_count += 1
            except AlertResolvedError:
                resolved_count += 1
        self.message_user(
            request,
            f"{done_count} alerts changed, {resolved_count} were resolved already.",
            messages.WARNING if resolved_count else messages.SUCCESS,
        )
