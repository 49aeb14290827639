"""Whether alerts were right, known once the horizon of their forecast has passed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from analytics.reads.features import EventHistoryColumns, event_columns, region_extent
from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.models import Alert

OUTCOME_FIELDS = ("scored_at", "was_right", "lead_time_s")


class Window(NamedTuple):
    """What alerts are scored by: the window of the forecast that opened them."""

    region: str
    issued_for: datetime
    valid_until: datetime


def score_due_alerts() -> int:
    """Score the alerts whose horizon has passed; returns how many.

    An alert was right if an event came into its first area within the horizon of
    its first forecast, which need not exist any more. It waits until the record of
    the region has gone past the horizon: a feed that stopped makes no alert wrong.
    """
    return sum(_score(window) for window in _due_windows(timezone.now()))


def _due_windows(now: datetime) -> list[Window]:
    # Events may come in a little late.
    embargo = timedelta(seconds=settings.FORECAST_EMBARGO_S)
    passed = Alert.objects.filter(scored_at=None, first_valid_until__lte=now - embargo)
    columns = ("rule__region__slug", "first_issued_for", "first_valid_until")
    windows = {Window(*row) for row in passed.order_by().values_list(*columns)}
    last_events = {
        slug: region_extent(slug).last_occurred_at
        for slug in sorted({window.region for window in windows})
    }
    return [
        window
        for window in sorted(windows)
        if (last := last_events[window.region]) is not None
        and last >= window.valid_until
    ]


def _score(window: Window) -> int:
    events = event_columns(
        window.region, since=window.issued_for, until=window.valid_until
    )
    now = timezone.now()
    with transaction.atomic():
        unscored = Alert.objects.select_for_update().filter(scored_at=None)
        found = unscored.filter(
            rule__region__slug=window.region,
            first_issued_for=window.issued_for,
            first_valid_until=window.valid_until,
        ).select_related("rule")
        alerts = list(found.defer("rule__cells"))
        for alert in alerts:
            first_s = _first_event_s(events, alert.first_cells)
            alert.scored_at = now
            alert.was_right = first_s is not None
            alert.lead_time_s = (
                None if first_s is None else first_s - window.issued_for.timestamp()
            )
        Alert.objects.bulk_update(alerts, OUTCOME_FIELDS, batch_size=500)
        owners = {alert.rule.organisation_id for alert in alerts}
        publish_changes(*map(change_names.alerts_of, owners))
    return len(alerts)


def _first_event_s(events: EventHistoryColumns, cells: Sequence[int]) -> float | None:
    inside = np.isin(events.cell, np.array(cells, dtype=np.uint64))
    return float(events.occurred_s[inside].min()) if inside.any() else None
