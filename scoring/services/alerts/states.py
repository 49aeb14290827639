"""What becomes of alerts: by people, by the clock, and whether they were right."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from analytics.reads.features import event_columns, region_extent
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.changes import publish_changes
from riskplatform.kernel.errors import InvalidInputError
from scoring import change_names
from scoring.errors import AlertNotFoundError, AlertResolvedError, require
from scoring.metrics import ALERTS_RESOLVED
from scoring.models import Alert, AlertChange, Webhook, WebhookDelivery
from scoring.selectors.alerts import alerts_in_full
from scoring.services.announcing import announce_alert_changes
from scoring.services.webhooks.sending import message_of_change

MAX_SNOOZE = timedelta(days=30)
# The next forecast may come a little after the window of the one before.
PAST_GRACE = timedelta(hours=1)
OUTCOME_FIELDS = ("scored_at", "was_right", "lead_time_s")


def record_changes(
    alerts: Sequence[Alert],
    *,
    kind: AlertChange.Kind,
    now: datetime,
    actor: str = "",
    snoozed_until: datetime | None = None,
) -> None:
    """Note what became of alerts of one organisation, and queue the messages.

    To be called in the transaction that changes the alerts: a message leaves if,
    and only if, the change is committed.
    """
    if not alerts:
        return
    changes = AlertChange.objects.bulk_create(
        [
            AlertChange(
                alert=alert,
                kind=kind,
                actor=actor,
                changed_at=now,
                snoozed_until=snoozed_until,
            )
            for alert in alerts
        ]
    )
    organisation_id = alerts[0].rule.organisation_id
    publish_changes(change_names.alerts_of(organisation_id))
    announce_alert_changes(organisation_id, changes)
    webhooks = Webhook.objects.filter(organisation_id=organisation_id, is_enabled=True)
    messages = product(changes, list(webhooks))
    WebhookDelivery.objects.bulk_create(
        [message_of_change(webhook, change) for change, webhook in messages],
        batch_size=500,
    )


@transaction.atomic
def acknowledge_alert(
    alert_id: UUID, *, organisation: Organisation, actor: str
) -> Alert:
    """Note that somebody has seen an alert; repeating it keeps the first name.

    Raises
    ------
    AlertNotFoundError, AlertResolvedError
    """
    alert = _locked_alert(alert_id, organisation)
    if alert.state == Alert.State.ACKNOWLEDGED:
        return alert
    now = timezone.now()
    alert.state = Alert.State.ACKNOWLEDGED
    alert.acknowledged_at, alert.acknowledged_by = now, actor
    alert.snoozed_until = None
    alert.save()
    record_changes([alert], kind=AlertChange.Kind.ACKNOWLEDGED, now=now, actor=actor)
    return alert


@transaction.atomic
def snooze_alert(
    alert_id: UUID, *, organisation: Organisation, actor: str, until: datetime
) -> Alert:
    """Keep an alert quiet until a time, after which it is open again.

    Raises
    ------
    AlertNotFoundError, AlertResolvedError, InvalidInputError
    """
    alert = _locked_alert(alert_id, organisation)
    now = timezone.now()
    if not now < until <= now + MAX_SNOOZE:
        raise InvalidInputError(
            f"An alert can be snoozed for up to {MAX_SNOOZE.days} days.", field="until"
        )
    alert.state, alert.snoozed_until = Alert.State.SNOOZED, until
    alert.save()
    record_changes(
        [alert],
        kind=AlertChange.Kind.SNOOZED,
        now=now,
        actor=actor,
        snoozed_until=until,
    )
    return alert


def wake_alerts() -> int:
    """Open the alerts whose snooze has passed; returns how many."""
    changes = {"state": Alert.State.OPEN, "snoozed_until": None}
    return _change_each(
        lambda: Alert.objects.snoozed_before(timezone.now()),
        AlertChange.Kind.WOKEN,
        changes,
    )


def resolve_past_alerts() -> int:
    """Resolve the alerts whose window is over and was not renewed; returns how many."""
    changes = {"state": Alert.State.RESOLVED, "resolved_at": timezone.now()}
    count = _change_each(
        lambda: Alert.objects.past_by(timezone.now() - PAST_GRACE),
        AlertChange.Kind.RESOLVED,
        changes,
    )
    ALERTS_RESOLVED.inc(count)
    return count


def _change_each(
    find: Callable[[], QuerySet[Alert]],
    kind: AlertChange.Kind,
    changes: Mapping[str, object],
) -> int:
    """Change what is found, each in a transaction, if it is still so when locked."""
    count = 0
    for key in list(find().values_list("pk", flat=True)):
        with transaction.atomic():
            alert = _locked(find().filter(pk=key))
            if alert is not None:
                for name, value in changes.items():
                    setattr(alert, name, value)
                alert.save()
                record_changes([alert], kind=kind, now=timezone.now())
                count += 1
    return count


def _locked_alert(alert_id: UUID, organisation: Organisation) -> Alert:
    mine = Alert.objects.for_organisation(organisation)
    alert = require(
        _locked(mine.filter(pk=alert_id)),
        AlertNotFoundError(f"There is no alert {alert_id}."),
    )
    if alert.state == Alert.State.RESOLVED:
        raise AlertResolvedError(
            f"Alert {alert_id} is resolved. Nothing is left to do about it."
        )
    return alert


def _locked(alerts: QuerySet[Alert]) -> Alert | None:
    """Lock, then read: what is joined to a row that was waited for is as of before."""
    key = alerts.select_for_update(of=("self",)).values_list("pk", flat=True).first()
    return None if key is None else alerts_in_full(Alert.objects.all()).get(pk=key)


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
            cells = np.array(alert.first_cells, dtype=np.uint64)
            inside_s = events.occurred_s[np.isin(events.cell, cells)]
            alert.scored_at, alert.was_right = now, inside_s.size > 0
            if alert.was_right:
                first_s = float(inside_s.min())
                alert.lead_time_s = first_s - window.issued_for.timestamp()
        Alert.objects.bulk_update(alerts, OUTCOME_FIELDS, batch_size=500)
        owners = {alert.rule.organisation_id for alert in alerts}
        publish_changes(*map(change_names.alerts_of, owners))
    return len(alerts)
