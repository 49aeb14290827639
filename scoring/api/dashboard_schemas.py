"""What the dashboard of a portfolio and the report of metrics give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from scoring.api.alert_schemas import AlertDetail
from scoring.api.schemas import AwareTime, Probability, Slug

Timeframe = Literal["24h", "7d", "30d"]


class DashboardQuery(Struct, forbid_unknown_fields=True):
    timeframe: Timeframe = "24h"
    time: (
        Annotated[
            datetime, Meta(tz=True, description="End of the timeframe; default: now.")
        ]
        | None
    ) = None


class PartError(Struct):
    code: str
    detail: str


class WorstCell(Struct):
    cell_id: int
    cell_hex: str
    p_event: Probability


class RegionRisk(Struct):
    """The cells with assets in the newest forecast of a region."""

    region: str
    forecast_id: UUID
    model_version: str
    issued_for: AwareTime
    horizon_sec: int
    cell_count: int
    expected_count: float
    worst_cell: WorstCell | None


class DashboardAssessment(Struct):
    id: UUID
    forecast_id: UUID
    portfolio_revision: int
    risk_score: float
    expected_loss: str
    created_at: AwareTime


class RiskData(Struct):
    currency: str
    asset_count: int
    total_value: str
    regions: list[RegionRisk]
    assessment: DashboardAssessment | None


class RegionEvents(Struct):
    region: str
    count: int
    cell_count: int
    last_occurred_at: AwareTime | None


class EventData(Struct):
    count: int
    regions: list[RegionEvents]


class AlertData(Struct):
    rule_count: int
    opened_count: int
    unresolved: Annotated[dict[str, int], Meta(description="By severity.")]
    newest: list[AlertDetail]


class RiskPart(Struct):
    """`as_of` is the time the figures know up to; of data and error, one is null."""

    as_of: AwareTime | None
    data: RiskData | None
    error: PartError | None


class EventPart(Struct):
    as_of: AwareTime | None
    data: EventData | None
    error: PartError | None


class AlertPart(Struct):
    as_of: AwareTime | None
    data: AlertData | None
    error: PartError | None


class PortfolioDashboard(Struct):
    portfolio_id: UUID
    timeframe: Timeframe
    since: AwareTime
    until: AwareTime
    metrics: RiskPart
    events: EventPart
    alerts: AlertPart


class MetricsQuery(Struct, forbid_unknown_fields=True):
    region: Slug | None = None
    until: (
        Annotated[
            AwareTime,
            Meta(description="End of the report; default: the newest forecast."),
        ]
        | None
    ) = None
    limit: Annotated[
        int, Meta(ge=1, le=1_000, description="Rows, and hours to look back, at most.")
    ] = 168


class RegionHour(Struct):
    region: str
    hour: AwareTime
    forecast_count: Annotated[
        int, Meta(description="Forecasts that were issued for this hour.")
    ]
    expected_per_hour: Annotated[
        float | None, Meta(description="Events an hour, the mean of these forecasts.")
    ]
    observed_count: Annotated[
        int | None, Meta(description="Events of the hour; null if they cannot be had.")
    ]


class MetricsReport(Struct):
    since: AwareTime
    until: AwareTime
    results: list[RegionHour]
    error: Annotated[
        PartError | None, Meta(description="Why there are no observed counts.")
    ]
