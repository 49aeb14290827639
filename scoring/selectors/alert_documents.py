"""An alert as the API, the dashboard and webhooks show it."""

from typing import Annotated, Literal, Self, cast
from uuid import UUID

from msgspec import Meta, Struct

from riskplatform.kernel.instants import AwareTime
from scoring.cell_ids import hex_of
from scoring.models import Alert, AlertChange

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
    cells: Annotated[list[int], Meta(description="The hottest cells, 100 at most.")]
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
            cells=listed,
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
