"""Risk by region and hour: what was forecast, beside what happened."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from django.db.models import Avg, Count, F, Max
from django.db.models.functions import TruncHour
from django.utils import timezone
from msgspec import Meta, Struct

from analytics.reads.activity import count_by_hour
from riskplatform.kernel.errors import ApplicationError, UnavailableError
from riskplatform.kernel.instants import AwareTime
from scoring.models import Forecast, Region

HOUR = timedelta(hours=1)

Key = tuple[datetime, str]


class PartError(Struct):
    code: str
    detail: str

    @classmethod
    def of(cls, error: ApplicationError) -> Self:
        return cls(code=error.code, detail=error.message)


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


def report_metrics(
    regions: Sequence[Region], *, until: datetime | None, limit: int
) -> MetricsReport:
    """Tabulate up to `limit` region hours of the last `limit` hours, newest first.

    They are the hours in which something was forecast or happened. Without ClickHouse
    the forecasts are there and the observed counts are not.
    """
    served = Forecast.objects.served().filter(region__in=regions)
    if until is None:
        until = served.aggregate(newest=Max("issued_for"))["newest"] or timezone.now()
    end = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    since = end - limit * HOUR
    hours = (
        served.filter(issued_for__gte=since, issued_for__lt=end)
        .annotate(hour=TruncHour("issued_for", tzinfo=UTC))
        .order_by()
        .values_list("hour", "region__slug")
        .annotate(
            count=Count("pk"),
            expected=Avg(F("expected_count") * HOUR.total_seconds() / F("horizon_sec")),
        )
    )
    forecasts = {(hour, region): (count, mean) for hour, region, count, mean in hours}
    error, observed = None, dict[Key, int]()
    try:
        slugs = [region.slug for region in regions]
        counts = count_by_hour(slugs, since=since, until=end)
        observed = {(row.hour, row.region): row.count for row in counts}
    except UnavailableError as failure:
        error = PartError.of(failure)
    keys = sorted(
        forecasts.keys() | observed.keys(),
        key=lambda key: (-key[0].timestamp(), key[1]),
    )
    rows = [
        _row(key, forecasts.get(key), None if error else observed.get(key, 0))
        for key in keys[:limit]
    ]
    return MetricsReport(since=since, until=end, results=rows, error=error)


def _row(
    key: Key, forecast: tuple[int, float] | None, observed_count: int | None
) -> RegionHour:
    hour, region = key
    count, expected = forecast or (0, None)
    return RegionHour(
        region=region,
        hour=hour,
        forecast_count=count,
        expected_per_hour=expected,
        observed_count=observed_count,
    )
