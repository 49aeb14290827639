"""What the dashboard of a portfolio shows: its risk, its events, its alerts."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final, Generic, Literal, Self, TypeVar
from uuid import UUID

import numpy as np
from django.db.models import Count, Max
from msgspec import Meta, Struct
from numpy.typing import NDArray

from analytics.reads.activity import activity_by_cell
from analytics.store.clickhouse import from_milliseconds
from perf.cache.memory import ByteCache
from perf.concurrency import Outcome, gather_bounded
from riskplatform.api.keys.access import Access
from riskplatform.kernel.instants import AwareTime
from scoring.arrays import ForecastColumns
from scoring.cell_ids import hex_of
from scoring.engine.arrays import Cells
from scoring.models import (
    Alert,
    AlertRule,
    Assessment,
    AssetPlace,
    Forecast,
    Portfolio,
    Region,
)
from scoring.selectors.alerts import AlertDetail, list_alerts
from scoring.selectors.forecasts import get_columns
from scoring.selectors.metrics_report import PartError

NEWEST_ALERTS = 10
TIMEFRAMES: Final = {
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
DEADLINE_S = 5.0

Timeframe = Literal["24h", "7d", "30d"]
Data = TypeVar("Data")

_places: ByteCache[NDArray[np.uint64]] = ByteCache(
    "portfolio_places", max_bytes=16 << 20
)


class WorstCell(Struct):
    cell_id: str
    cell_hex: str
    p_event: Annotated[float, Meta(ge=0, le=1)]

    @classmethod
    def of(cls, columns: ForecastColumns) -> Self:
        worst = int(columns.p_event.argmax())
        cell, p_event = int(columns.cells[worst]), float(columns.p_event[worst])
        return cls(cell_id=str(cell), cell_hex=hex_of(cell), p_event=p_event)


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

    @classmethod
    def of(cls, assessment: Assessment) -> Self:
        return cls(
            id=assessment.pk,
            forecast_id=assessment.forecast_id,
            portfolio_revision=assessment.portfolio_revision,
            risk_score=assessment.risk_score,
            expected_loss=f"{assessment.expected_loss:.2f}",
            created_at=assessment.created_at,
        )


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


class Part(Struct, Generic[Data]):
    as_of: AwareTime | None
    data: Data | None
    error: PartError | None

    @classmethod
    def of(cls, outcome: Outcome[tuple[datetime | None, Data]]) -> Self:
        as_of, data = outcome.value or (None, None)
        error = None if outcome.error is None else PartError.of(outcome.error)
        return cls(as_of=as_of, data=data, error=error)


class RiskPart(Part[RiskData]):
    """`as_of` is the time the figures know up to; of data and error, one is null."""


class EventPart(Part[EventData]):
    pass


class AlertPart(Part[AlertData]):
    pass


class PortfolioDashboard(Struct):
    portfolio_id: UUID
    timeframe: Timeframe
    since: AwareTime
    until: AwareTime
    metrics: RiskPart
    events: EventPart
    alerts: AlertPart


def read_dashboard(
    portfolio: Portfolio,
    cells: Mapping[Region, Cells],
    access: Access,
    *,
    timeframe: Timeframe,
    until: datetime,
) -> PortfolioDashboard:
    """Read three parts at once; one that fails says so, and the others stand.

    `cells` are those with assets of each region, as `asset_cells` gives them; only
    what is about regions that `access` sees is shown.
    """
    span = TIMEFRAMES[timeframe]
    since = until - span
    parts: dict[str, Callable[[], tuple[datetime | None, Any]]] = {
        "metrics": partial(_risk, portfolio, cells, access, span, until),
        "events": partial(_events, cells, since, until),
        "alerts": partial(_alerts, portfolio, access, since),
    }
    read = gather_bounded(parts, deadline_s=DEADLINE_S)
    return PortfolioDashboard(
        portfolio_id=portfolio.pk,
        timeframe=timeframe,
        since=since,
        until=until,
        metrics=RiskPart.of(read["metrics"]),
        events=EventPart.of(read["events"]),
        alerts=AlertPart.of(read["alerts"]),
    )


def asset_cells(portfolio: Portfolio, access: Access) -> dict[Region, Cells]:
    """Return the cells with assets of each region that is seen.

    It costs one query, and one a revision.
    """
    places = AssetPlace.objects.filter(asset__portfolio=portfolio)
    pairs = places.order_by("region", "h3").values_list("region", "h3").distinct()
    region_ids, cells = _places.get_or_compute(
        (portfolio.pk, portfolio.revision),
        lambda: np.array(list(pairs), dtype=np.uint64).reshape(-1, 2).T,
    )
    known = np.unique(region_ids).tolist()
    seen = Region.objects.seen_by(access).filter(pk__in=known)
    regions = seen.defer("boundary").order_by("slug")
    return {region: cells[region_ids == region.pk] for region in regions}


def _risk(
    portfolio: Portfolio,
    cells: Mapping[Region, Cells],
    access: Access,
    span: timedelta,
    until: datetime,
) -> tuple[datetime | None, RiskData]:
    """Read the newest forecast of each region, of the horizon closest to the span."""
    forecasts = {
        region: forecast
        for region in cells
        if (forecast := _forecast(region, span, until)) is not None
    }
    seen = Region.objects.seen_by(access)
    made = Assessment.objects.filter(portfolio=portfolio, forecast__region__in=seen)
    newest = made.first()
    data = RiskData(
        currency=portfolio.currency,
        asset_count=portfolio.asset_count,
        total_value=f"{portfolio.total_value:.2f}",
        regions=[
            _region_risk(region, forecast, cells[region])
            for region, forecast in forecasts.items()
        ],
        assessment=None if newest is None else DashboardAssessment.of(newest),
    )
    issued = [forecast.issued_for for forecast in forecasts.values()]
    return min(issued, default=None), data


def _events(
    cells: Mapping[Region, Cells], since: datetime, until: datetime
) -> tuple[datetime | None, EventData]:
    """Count the events in cells with assets: one aggregation a region."""
    regions: list[RegionEvents] = []
    ingested_ms = 0
    for region, own in cells.items():
        seen = activity_by_cell(region.slug, since=since, until=until)
        inside = np.isin(seen.cell, own)
        last_ms = int(seen.last_occurred_ms[inside].max(initial=0))
        ingested_ms = max(ingested_ms, int(seen.last_ingested_ms.max(initial=0)))
        regions.append(
            RegionEvents(
                region=region.slug,
                count=int(seen.count[inside].sum()),
                cell_count=int(inside.sum()),
                last_occurred_at=from_milliseconds(last_ms) if last_ms else None,
            )
        )
    as_of = from_milliseconds(ingested_ms) if ingested_ms else None
    return as_of, EventData(count=sum(row.count for row in regions), regions=regions)


def _alerts(
    portfolio: Portfolio, access: Access, since: datetime
) -> tuple[datetime | None, AlertData]:
    """Count the alerts of the rules that watch a portfolio, and name the newest."""
    about = list_alerts(portfolio.organisation, portfolio_id=portfolio.pk)
    alerts = about.filter(rule__region__in=Region.objects.seen_by(access))
    unresolved = alerts.exclude(state=Alert.State.RESOLVED).order_by()
    rules = AlertRule.objects.filter(portfolio=portfolio)
    data = AlertData(
        rule_count=rules.count(),
        opened_count=alerts.filter(opened_at__gte=since).count(),
        unresolved=dict(unresolved.values_list("severity").annotate(count=Count("pk"))),
        newest=list(map(AlertDetail.of, alerts.order_by("-pk")[:NEWEST_ALERTS])),
    )
    return rules.aggregate(as_of=Max("last_forecast__issued_for"))["as_of"], data


def _forecast(region: Region, span: timedelta, until: datetime) -> Forecast | None:
    known = Forecast.objects.of_region(region).served().issued_by(until)
    horizons = known.order_by().values_list("horizon_sec", flat=True).distinct()
    span_s = span.total_seconds()
    closest = min(horizons, key=lambda horizon: abs(horizon - span_s), default=None)
    if closest is None:
        return None
    newest = known.for_horizon(closest).newest_first()
    return newest.select_related("model_version").first()


def _region_risk(region: Region, forecast: Forecast, own: Cells) -> RegionRisk:
    columns = get_columns(forecast)
    inside = columns.take(np.isin(columns.cells, own))
    return RegionRisk(
        region=region.slug,
        forecast_id=forecast.pk,
        model_version=str(forecast.model_version),
        issued_for=forecast.issued_for,
        horizon_sec=forecast.horizon_sec,
        cell_count=int(inside.cells.size),
        expected_count=float(inside.mean.sum()),
        worst_cell=WorstCell.of(inside) if inside.cells.size else None,
    )
