"""Tells those who listen what changed: an organisation's alerts, a region's forecasts.

Messages are the structs that webhooks and the API send. They are written in the
transaction of the change, and leave after its commit (`perf.realtime.announcements`).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils import timezone
from msgspec import Struct

from perf.realtime.announcements import announce
from riskplatform.kernel.changes import publish_changes
from riskplatform.kernel.ids import uuid7
from scoring import change_names
from scoring.models import AlertChange, Forecast
from scoring.selectors.alerts import AlertDetail
from scoring.services.webhooks.sending import AlertMessage

DETECTED = "risk.detected"
PUBLISHED = "forecast.published"


class AlertNews(Struct, kw_only=True):
    """An alert has changed; `metadata` is what webhooks get of the same change."""

    type: str
    id: UUID
    timestamp: datetime
    risk_score: float
    coordinates: list[float]
    metadata: AlertMessage


class ForecastNews(Struct, kw_only=True):
    """A forecast is served now, for a region and a horizon."""

    type: str
    id: UUID
    timestamp: datetime
    region: str
    forecast_id: UUID
    horizon_sec: int
    # What was served before, and so what a client has that saw all before this.
    before_id: UUID | None


def alerts_group(organisation_id: int) -> str:
    return f"alerts:{organisation_id}"


def forecasts_group(region_id: int, horizon_sec: int) -> str:
    return f"forecasts:{region_id}:{horizon_sec}"


def announce_alert_changes(
    organisation_id: int, changes: Sequence[AlertChange]
) -> None:
    """Tell an organisation what became of its alerts, each as it is now."""
    news = [_news_of(change) for change in changes]
    messages = [(each.id, msgspec.json.encode(each)) for each in news]
    announce(alerts_group(organisation_id), messages)


def announce_forecasts(forecasts: Sequence[Forecast]) -> None:
    """Tell caches and clients that forecasts are served; needs `region` loaded."""
    for forecast in forecasts:
        publish_changes(change_names.forecasts_of(forecast.region.slug))
        news = ForecastNews(
            type=PUBLISHED,
            id=uuid7(),
            timestamp=timezone.now(),
            region=forecast.region.slug,
            forecast_id=forecast.pk,
            horizon_sec=forecast.horizon_sec,
            before_id=_served_before(forecast),
        )
        group = forecasts_group(forecast.region_id, forecast.horizon_sec)
        announce(group, [(news.id, msgspec.json.encode(news))])


def _served_before(forecast: Forecast) -> UUID | None:
    others = Forecast.objects.of_region(forecast.region).served()
    others = others.for_horizon(forecast.horizon_sec).exclude(pk=forecast.pk)
    return others.newest_first().values_list("pk", flat=True).first()


def _news_of(change: AlertChange) -> AlertNews:
    detail = AlertDetail.of(change.alert)
    is_new = change.kind == AlertChange.Kind.OPENED
    message = AlertMessage(
        id=uuid7(),
        occasion=f"alert.{change.kind}",
        happened_at=change.changed_at,
        sequence=change.pk,
        actor=change.actor,
        alert=detail,
    )
    return AlertNews(
        type=DETECTED if is_new else message.occasion,
        id=message.id,
        timestamp=change.changed_at,
        risk_score=detail.value,
        coordinates=detail.coordinates,
        metadata=message,
    )
