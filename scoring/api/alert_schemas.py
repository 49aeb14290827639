"""What the API of alert rules and alerts takes and gives."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from riskplatform.api.paging import PageQuery
from scoring.api.portfolio_schemas import Name
from scoring.api.schemas import MAX_CELLS, AwareTime, CellId, HorizonSec, Slug

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
Threshold = Annotated[float, Meta(ge=0, le=1e18)]
Quantile = Annotated[float, Meta(gt=0, lt=1, description="Of the TVaR, such as 0.99.")]
WatchedCells = Annotated[
    list[CellId],
    Meta(
        min_length=1,
        max_length=MAX_CELLS,
        description="Cells to watch; the whole region if left out.",
    ),
]
DailyBudget = Annotated[
    int, Meta(ge=1, le=1_000, description="New alerts in 24 hours at most.")
]


class NewAlertRule(Struct, forbid_unknown_fields=True):
    name: Name
    region: Slug
    horizon_sec: HorizonSec
    metric: MetricName
    threshold: Threshold
    comparison: ComparisonName = "level"
    portfolio_id: UUID | None = None
    cells: WatchedCells | None = None
    quantile: Quantile | None = None
    severity: SeverityName = "warning"
    daily_budget: DailyBudget = 20
    is_enabled: bool = True


class AlertRuleChange(Struct, forbid_unknown_fields=True):
    """What may be changed; a rule of another region is another rule."""

    name: Name | UnsetType = UNSET
    horizon_sec: HorizonSec | UnsetType = UNSET
    metric: MetricName | UnsetType = UNSET
    threshold: Threshold | UnsetType = UNSET
    comparison: ComparisonName | UnsetType = UNSET
    portfolio_id: UUID | UnsetType | None = UNSET
    cells: WatchedCells | UnsetType | None = UNSET
    quantile: Quantile | UnsetType | None = UNSET
    severity: SeverityName | UnsetType = UNSET
    daily_budget: DailyBudget | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET


class AlertRuleQuery(PageQuery, forbid_unknown_fields=True):
    region: Slug | None = None
    portfolio_id: UUID | None = None
    is_enabled: bool | None = None


class AlertRuleDetail(Struct):
    id: UUID
    name: str
    region: str
    portfolio_id: UUID | None
    cells: list[int] | None
    horizon_sec: int
    metric: MetricName
    comparison: ComparisonName
    threshold: float
    quantile: float | None
    severity: SeverityName
    daily_budget: int
    is_enabled: bool
    last_forecast_id: UUID | None
    held_back_count: int
    created_at: AwareTime
    updated_at: AwareTime


class AlertRuleList(Struct):
    results: list[AlertRuleDetail]
    next: str | None


class AlertRulePerformance(Struct):
    """How the alerts of a rule did, once their horizons had passed."""

    rule_id: UUID
    alert_count: int
    unresolved_count: int
    held_back_count: Annotated[
        int, Meta(description="Hot areas kept quiet, counted at each forecast.")
    ]
    scored_count: int
    right_count: int
    precision: Annotated[
        float | None, Meta(description="Share of the scored alerts that were right.")
    ]
    median_lead_time_s: Annotated[
        float | None, Meta(description="From the forecast to the first event.")
    ]


class PortfolioAlertQuery(PageQuery, forbid_unknown_fields=True):
    severity: SeverityName | None = None
    state: StateName | None = None


class AlertQuery(PortfolioAlertQuery, forbid_unknown_fields=True):
    rule_id: UUID | None = None


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
    first_forecast_id: Annotated[
        UUID | None, Meta(description="Null once the forecast was deleted.")
    ]
    last_forecast_id: Annotated[
        UUID | None, Meta(description="Null once the forecast was deleted.")
    ]
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


class AlertList(Struct):
    results: list[AlertDetail]
    next: str | None


class AlertStep(Struct):
    sequence: int
    kind: Literal["opened", "acknowledged", "snoozed", "woken", "resolved"]
    actor: Annotated[str, Meta(description="Empty: the platform itself.")]
    changed_at: AwareTime
    snoozed_until: AwareTime | None


class AlertHistory(Struct):
    results: list[AlertStep]


class Snooze(Struct, forbid_unknown_fields=True):
    until: AwareTime
