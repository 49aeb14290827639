"""Risk by region and hour: what was forecast, beside what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from django.db.models import Avg, Count, F, Max
from django.db.models.functions import TruncHour
from django.utils import timezone
from msgspec import Meta, Struct

from analytics.reads.activity import count_by_hour
from riskplatform.kernel.errors import UnavailableError
from riskplatform.kernel.instants import AwareTime
from scoring.models import Forecast, Region

HOUR = timedelta(hours=1)
HOUR_S = 3_600.0

Key = tuple[datetime, str]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsTable:
    """Rows of the hours in which something was forecast or happened."""

    since: datetime
    until: datetime
    rows: list[RegionHour]
    error: UnavailableError | None


def tabulate_metrics(
    regions: Sequence[Region], *, until: datetime | None, limit: int
) -> MetricsTable:
    """Tabulate up to `limit` region hours of the last `limit` hours, newest first.

    Without ClickHouse the forecasts are there and the observed counts are not.
    """
    end = _hour_after(until or _newest_instant(regions))
    since = end - limit * HOUR
    forecasts = _forecasts_by_hour(regions, since, end)
    error, observed = None, {}
    try:
        observed = _observed_by_hour(regions, since, end)
    except UnavailableError as failure:
        error = failure
    keys = sorted(forecasts.keys() | observed.keys(), key=_newest_hour_first)
    rows = [
        _row(key, forecasts.get(key), None if error else observed.get(key, 0))
        for key in keys[:limit]
    ]
    return MetricsTable(since=since, until=end, rows=rows, error=error)


def _row(
    key: Key, forecast: tuple[int, float] | None, observed_count: int | None
) -> RegionHour:
    hour, region = key
    count, expected = (0, None) if forecast is None else forecast
    return RegionHour(
        region=region,
        hour=hour,
        forecast_count=count,
        expected_per_hour=expected,
        observed_count=observed_count,
    )


def _newest_instant(regions: Sequence[Region]) -> datetime:
    served = Forecast.objects.served().filter(region__in=regions)
    newest: datetime | None = served.aggregate(newest=Max("issued_for"))["newest"]
    return newest or timezone.now()


def _hour_after(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR


def _forecasts_by_hour(
    regions: Sequence[Region], since: datetime, until: datetime
) -> dict[Key, tuple[int, float]]:
    served = Forecast.objects.served().filter(
        region__in=regions, issued_for__gte=since, issued_for__lt=until
    )
    hours = (
        served.annotate(hour=TruncHour("issued_for", tzinfo=UTC))
        .order_by()
        .values_list("hour", "region__slug")
        .annotate(
            count=Count("pk"),
            expected=Avg(F("expected_count") * HOUR_S / F("horizon_sec")),
        )
    )
    return {(hour, region): (count, mean) for hour, region, count, mean in hours}


def _observed_by_hour(
    regions: Sequence[Region], since: datetime, until: datetime
) -> dict[Key, int]:
    slugs = [region.slug for region in regions]
    counts = count_by_hour(slugs, since=since, until=until)
    return {(row.hour, row.region): row.count for row in counts}


def _newest_hour_first(key: Key) -> tuple[float, str]:
    hour, region = key
    return -hour.timestamp(), region
