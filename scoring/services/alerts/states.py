"""What people do with alerts: acknowledge, snooze; and what the clock does."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import InvalidInputError
from scoring.errors import AlertNotFoundError, AlertResolvedError
from scoring.metrics import ALERTS_RESOLVED
from scoring.models import Alert, AlertChange
from scoring.selectors.alerts import alerts_in_full
from scoring.services.alerts.changes import record_changes

MAX_SNOOZE = timedelta(days=30)
# The next forecast may come a little after the window of the one before.
PAST_GRACE = timedelta(hours=1)


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
    snoozed = Alert.objects.snoozed_before(timezone.now())
    return sum(_wake(pk) for pk in list(snoozed.values_list("pk", flat=True)))


@transaction.atomic
def _wake(alert_id: UUID) -> bool:
    now = timezone.now()
    snoozed = Alert.objects.snoozed_before(now)
    alert = _locked(snoozed.filter(pk=alert_id))
    if alert is None:
        return False
    alert.state, alert.snoozed_until = Alert.State.OPEN, None
    alert.save()
    record_changes([alert], kind=AlertChange.Kind.WOKEN, now=now)
    return True


def resolve_past_alerts() -> int:
    """Resolve the alerts whose window is over and was not renewed; returns how many."""
    past = Alert.objects.past_by(timezone.now() - PAST_GRACE)
    return sum(_resolve_past(pk) for pk in list(past.values_list("pk", flat=True)))


@transaction.atomic
def _resolve_past(alert_id: UUID) -> bool:
    now = timezone.now()
    past = Alert.objects.past_by(now - PAST_GRACE)
    alert = _locked(past.filter(pk=alert_id))
    if alert is None:
        return False
    alert.state, alert.resolved_at = Alert.State.RESOLVED, now
    alert.save()
    record_changes([alert], kind=AlertChange.Kind.RESOLVED, now=now)
    ALERTS_RESOLVED.inc()
    return True


def _locked_alert(alert_id: UUID, organisation: Organisation) -> Alert:
    mine = Alert.objects.for_organisation(organisation)
    alert = _locked(mine.filter(pk=alert_id))
    if alert is None:
        raise AlertNotFoundError(f"There is no alert {alert_id}.")
    if alert.state == Alert.State.RESOLVED:
        raise AlertResolvedError(
            f"Alert {alert_id} is resolved. Nothing is left to do about it."
        )
    return alert


def _locked(alerts: QuerySet[Alert]) -> Alert | None:
    """Lock, then read: what is joined to a row that was waited for is as of before."""
    key = alerts.select_for_update(of=("self",)).values_list("pk", flat=True).first()
    return None if key is None else alerts_in_full(Alert.objects.all()).get(pk=key)
