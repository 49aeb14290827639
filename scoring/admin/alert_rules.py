"""Alert rules, and how their alerts did."""

from typing import TypedDict

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django_stubs_ext import WithAnnotations

from riskplatform.api.read_only_admin import ReadOnlyAdmin
from scoring.models import Alert, AlertRule
from scoring.selectors.alerts import get_rule_performance


class AlertCounts(TypedDict):
    unresolved_count: int
    scored_count: int
    right_count: int


@admin.register(AlertRule)
class AlertRuleAdmin(ReadOnlyAdmin[AlertRule]):
    """Clients write their rules through the API, which checks them."""

    list_display = (
        "name",
        "organisation",
        "region",
        "metric",
        "comparison",
        "threshold",
        "severity",
        "is_enabled",
        "unresolved",
        "precision",
        "held_back_count",
    )
    list_filter = ("is_enabled", "metric", "severity", "region")
    list_select_related = ("organisation", "region")
    search_fields = ("name", "organisation__slug")
    exclude = ("cells",)
    readonly_fields = ("last_forecast", "held_back_count", "performance")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        is_known = Q(alerts__was_right__isnull=False)
        rules = AlertRule.objects.defer("cells", "region__boundary").annotate(
            unresolved_count=Count(
                "alerts",
                filter=Q(alerts__isnull=False) & ~Q(alerts__state=Alert.State.RESOLVED),
            ),
            scored_count=Count("alerts", filter=is_known),
            right_count=Count("alerts", filter=Q(alerts__was_right=True)),
        )
        return rules.order_by("-pk")

    @admin.display(ordering="unresolved_count")
    def unresolved(self, rule: "WithAnnotations[AlertRule, AlertCounts]") -> int:
        return rule.unresolved_count

    @admin.display(description="precision")
    def precision(self, rule: "WithAnnotations[AlertRule, AlertCounts]") -> str:
        if not rule.scored_count:
            return "-"
        share = rule.right_count / rule.scored_count
        return f"{share:.0%} of {rule.scored_count}"

    @admin.display(description="performance")
    def performance(self, rule: AlertRule) -> str:
        found = get_rule_performance(rule)
        if found.precision is None:
            return "No alert has been judged yet."
        lead = found.median_lead_time_s
        hours = "unknown" if lead is None else f"{lead / 3_600:.1f} h"
        return (
            f"{found.right_count} of {found.scored_count} alerts were right;"
            f" median lead time {hours}."
        )
