"""Whether alerts were right, told once the horizon of their forecast has passed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from analytics.features import EventHistoryColumns, event_columns, region_extent
from riskplatform.kernel.changes import announce
from scoring import change_names
from scoring.models import Alert, Forecast

JUDGED_FIELDS = ("scored_at", "was_right", "lead_time_s")


def score_due_alerts() -> int:
    """Judge the alerts whose horizon has passed; returns how many.

    An alert was right if an event came into its first area within the horizon of
    its first forecast. It waits until the record of the region has gone past the
    horizon: a feed that stopped makes no alert wrong.
    """
    return sum(_score(forecast) for forecast in _due_forecasts(timezone.now()))


def _due_forecasts(now: datetime) -> list[Forecast]:
    # Events may come in a little late.
    embargo = timedelta(seconds=settings.FORECAST_EMBARGO_S)
    unscored = Alert.objects.filter(scored_at=None).values("first_forecast")
    forecasts = Forecast.objects.filter(pk__in=unscored).select_related("region")
    passed = [
        forecast
        for forecast in forecasts.defer("region__boundary")
        if forecast.valid_until + embargo <= now
    ]
    last_events = {
        slug: region_extent(slug).last_occurred_at
        for slug in sorted({forecast.region.slug for forecast in passed})
    }
    return [
        forecast
        for forecast in passed
        if (last := last_events[forecast.region.slug]) is not None
        and last >= forecast.valid_until
    ]


def _score(forecast: Forecast) -> int:
    events = event_columns(
        forecast.region.slug, since=forecast.issued_for, until=forecast.valid_until
    )
    now = timezone.now()
    with transaction.atomic():
        unscored = Alert.objects.select_for_update().filter(scored_at=None)
        found = unscored.filter(first_forecast=forecast).select_related("rule")
        alerts = list(found.defer("rule__cells"))
        for alert in alerts:
            first_s = _first_event_s(events, alert.first_cells)
            alert.scored_at = now
            alert.was_right = first_s is not None
            alert.lead_time_s = (
                None if first_s is None else first_s - forecast.issued_for.timestamp()
            )
        Alert.objects.bulk_update(alerts, JUDGED_FIELDS, batch_size=500)
        owners = {alert.rule.organisation_id for alert in alerts}
        announce(*map(change_names.alerts_of, owners))
    return len(alerts)


def _first_event_s(events: EventHistoryColumns, cells: Sequence[int]) -> float | None:
    inside = np.isin(events.cell, np.array(cells, dtype=np.uint64))
    return float(events.occurred_s[inside].min()) if inside.any() else None
