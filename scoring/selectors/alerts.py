"""Reads of alert rules, alerts and webhooks, and an alert as all of them show it."""

from statistics import median
from typing import Annotated, Literal, Self, cast
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from msgspec import Meta, Struct

from analytics.grid import CellDigits
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.instants import AwareTime
from scoring.cell_ids import hex_of
from scoring.errors import (
    AlertNotFoundError,
    AlertRuleNotFoundError,
    WebhookNotFoundError,
    require,
)
from scoring.models import Alert, AlertChange, AlertRule, Webhook, WebhookDelivery

MAX_CELLS_LISTED = 100

MetricName = Annotated[
    Literal["p_event", "expected_count", "tvar"],
    Meta(
        description="p_event and expected_count are figures of each cell; tvar is"
        " that of a portfolio."
    ),
]
ComparisonName = Annotated[
    Literal["level", "change"],
    Meta(
        description="level: fires at or above the threshold. change: fires at or"
        " above the threshold times the figure of the forecast before."
    ),
]
SeverityName = Literal["info", "warning", "critical"]
StateName = Literal["open", "acknowledged", "snoozed", "resolved"]
StepKind = Literal["opened", "acknowledged", "snoozed", "woken", "resolved"]
ForecastId = Annotated[
    UUID | None, Meta(description="Null once the forecast was deleted.")
]


class AlertDetail(Struct):
    id: UUID
    rule_id: UUID
    rule_name: str
    region: str
    portfolio_id: UUID | None
    horizon_sec: int
    metric: MetricName
    comparison: ComparisonName
    threshold: float
    quantile: float | None
    severity: SeverityName
    state: StateName
    value: Annotated[float, Meta(description="The figure that fired, at its worst.")]
    coordinates: Annotated[
        list[float],
        Meta(
            min_length=2,
            max_length=2,
            description="Longitude and latitude of the worst cell.",
        ),
    ]
    cell_count: int
    cells: Annotated[
        list[CellDigits], Meta(description="The hottest cells, 100 at most.")
    ]
    cells_hex: list[str]
    first_forecast_id: ForecastId
    last_forecast_id: ForecastId
    valid_until: AwareTime
    opened_at: AwareTime
    last_seen_at: AwareTime
    acknowledged_at: AwareTime | None
    acknowledged_by: str
    snoozed_until: AwareTime | None
    resolved_at: AwareTime | None
    merged_into: UUID | None
    was_right: bool | None
    lead_time_s: float | None

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Describe an alert; needs `rule__region` loaded."""
        rule, listed = alert.rule, alert.cells[:MAX_CELLS_LISTED]
        return cls(
            id=alert.pk,
            rule_id=rule.pk,
            rule_name=rule.name,
            region=rule.region.slug,
            portfolio_id=rule.portfolio_id,
            horizon_sec=rule.horizon_sec,
            metric=cast("MetricName", rule.metric),
            comparison=cast("ComparisonName", rule.comparison),
            threshold=rule.threshold,
            quantile=rule.quantile,
            severity=cast("SeverityName", alert.severity),
            state=cast("StateName", alert.state),
            value=alert.value,
            coordinates=[round(alert.lon, 6), round(alert.lat, 6)],
            cell_count=len(alert.cells),
            cells=list(map(str, listed)),
            cells_hex=[hex_of(cell) for cell in listed],
            first_forecast_id=alert.first_forecast_id,
            last_forecast_id=alert.last_forecast_id,
            valid_until=alert.valid_until,
            opened_at=alert.opened_at,
            last_seen_at=alert.last_seen_at,
            acknowledged_at=alert.acknowledged_at,
            acknowledged_by=alert.acknowledged_by,
            snoozed_until=alert.snoozed_until,
            resolved_at=alert.resolved_at,
            merged_into=alert.merged_into_id,
            was_right=alert.was_right,
            lead_time_s=alert.lead_time_s,
        )


class AlertStep(Struct):
    sequence: int
    kind: StepKind
    actor: Annotated[str, Meta(description="Empty: the platform itself.")]
    changed_at: AwareTime
    snoozed_until: AwareTime | None

    @classmethod
    def of(cls, change: AlertChange) -> Self:
        return cls(
            sequence=change.pk,
            kind=cast("StepKind", change.kind),
            actor=change.actor,
            changed_at=change.changed_at,
            snoozed_until=change.snoozed_until,
        )


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
    return require(
        list_alert_rules(organisation).filter(pk=rule_id).first(),
        AlertRuleNotFoundError(f"There is no alert rule {rule_id}."),
    )


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
    right = rule.alerts.filter(was_right=True, lead_time_s__isnull=False)
    lead_times = [alert.lead_time_s or 0.0 for alert in right.only("lead_time_s")]
    scored = counts["scored_count"]
    return AlertRulePerformance(
        rule_id=rule.pk,
        **counts,
        held_back_count=rule.held_back_count,
        precision=counts["right_count"] / scored if scored else None,
        median_lead_time_s=median(lead_times) if lead_times else None,
    )


def list_webhooks(organisation: Organisation) -> QuerySet[Webhook]:
    return Webhook.objects.for_organisation(organisation)


def get_webhook(webhook_id: UUID, *, organisation: Organisation) -> Webhook:
    """Find a webhook; somebody else's is as absent as one that is not."""
    return require(
        list_webhooks(organisation).filter(pk=webhook_id).first(),
        WebhookNotFoundError(f"There is no webhook {webhook_id}."),
    )


def list_deliveries(
    webhook: Webhook, *, state: str | None = None
) -> QuerySet[WebhookDelivery]:
    deliveries = webhook.deliveries.select_related("change").defer("body")
    return deliveries if state is None else deliveries.filter(state=state)
