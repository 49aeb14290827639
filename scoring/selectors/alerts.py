"""Reads of alert rules and alerts."""

from collections.abc import Iterable
from statistics import median
from typing import Annotated
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from msgspec import Meta, Struct

from riskplatform.api.keys.models import Organisation
from scoring.errors import AlertNotFoundError, AlertRuleNotFoundError
from scoring.models import Alert, AlertChange, AlertRule


class AlertRulePerformance(Struct):
    """How the alerts of a rule did, once their horizons had passed."""

    rule_id: UUID
    alert_count: int
    unresolved_count: int
    scored_count: int
    right_count: int
    held_back_count: Annotated[
        int, Meta(description="Hot areas kept quiet, counted at each forecast.")
    ]
    precision: Annotated[
        float | None, Meta(description="Share of the scored alerts that were right.")
    ]
    median_lead_time_s: Annotated[
        float | None, Meta(description="From the forecast to the first event.")
    ]


def list_alert_rules(organisation: Organisation) -> QuerySet[AlertRule]:
    rules = AlertRule.objects.for_organisation(organisation)
    return rules.select_related("region").defer("region__boundary")


def get_alert_rule(rule_id: UUID, *, organisation: Organisation) -> AlertRule:
    """Find a rule; somebody else's is as absent as one that is not."""
    try:
        return list_alert_rules(organisation).get(pk=rule_id)
    except AlertRule.DoesNotExist:
        raise AlertRuleNotFoundError(f"There is no alert rule {rule_id}.") from None


def list_alerts(
    organisation: Organisation,
    *,
    severity: str | None = None,
    state: str | None = None,
    rule_id: UUID | None = None,
    portfolio_id: UUID | None = None,
) -> QuerySet[Alert]:
    wanted = {
        "severity": severity,
        "state": state,
        "rule": rule_id,
        "rule__portfolio": portfolio_id,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    return alerts_in_full(Alert.objects.for_organisation(organisation).filter(**given))


def list_changes(
    alert_id: UUID, *, organisation: Organisation
) -> QuerySet[AlertChange]:
    """Return the steps of an alert, the first one first."""
    alerts = Alert.objects.for_organisation(organisation).filter(pk=alert_id)
    if not alerts.exists():
        raise AlertNotFoundError(f"There is no alert {alert_id}.")
    return AlertChange.objects.filter(alert=alert_id).order_by("pk")


def alerts_in_full(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    """Join what an `AlertDetail` shows, and leave out what is large."""
    joined = alerts.select_related("rule__region")
    return joined.defer("rule__cells", "rule__region__boundary", "first_cells")


def get_rule_performance(rule: AlertRule) -> AlertRulePerformance:
    """Count how often a rule was right, and how long before: two queries."""
    counts = rule.alerts.aggregate(
        alert_count=Count("pk"),
        unresolved_count=Count("pk", filter=~Q(state=Alert.State.RESOLVED)),
        scored_count=Count("pk", filter=Q(was_right__isnull=False)),
        right_count=Count("pk", filter=Q(was_right=True)),
    )
    lead_times = rule.alerts.filter(was_right=True).values_list(
        "lead_time_s", flat=True
    )
    scored = counts["scored_count"]
    return AlertRulePerformance(
        rule_id=rule.pk,
        **counts,
        held_back_count=rule.held_back_count,
        precision=counts["right_count"] / scored if scored else None,
        median_lead_time_s=_median(lead_times),
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
