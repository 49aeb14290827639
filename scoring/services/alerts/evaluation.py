"""Evaluates alert rules on forecasts: opens, follows and resolves alerts.

Each rule remembers the newest forecast it was evaluated on. That one again, or an
older one, changes nothing; what a crash left out, the next sweep finds. A forecast
whose window is over opens nothing.
"""

import logging
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Self
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.metrics import (
    ALERT_EVALUATION_FAILURES,
    ALERTS_HELD_BACK,
    ALERTS_OPENED,
    ALERTS_RESOLVED,
)
from scoring.models import Alert, AlertChange, AlertRule, Forecast
from scoring.selectors.forecasts import NEWEST_FORECAST
from scoring.services.alerts.figures import ForecastPair, HotArea, hot_areas_of, joined
from scoring.services.alerts.states import record_changes

BUDGET_PERIOD = timedelta(hours=24)
FOLLOWED_FIELDS = (
    *("cells", "value", "lat", "lon"),
    *("last_forecast", "valid_until", "last_seen_at"),
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    rule_count: int = 0
    opened_count: int = 0
    followed_count: int = 0
    resolved_count: int = 0
    held_back_count: int = 0
    failed_count: int = 0

    def __add__(self, other: Self) -> Self:
        sums = map(sum, zip(astuple(self), astuple(other), strict=True))
        return type(self)(**dict(zip(self.__slots__, sums, strict=True)))


NOTHING_DONE = EvaluationReport()


def evaluate_rules(forecast: Forecast) -> EvaluationReport:
    """Evaluate every enabled rule on a served forecast; safe to repeat.

    A rule that fails is retried by the next sweep; the other
    rules go on.
    """
    if forecast.is_shadow:
        return NOTHING_DONE
    rules = AlertRule.objects.enabled().filter(
        region_id=forecast.region_id, horizon_sec=forecast.horizon_sec
    )
    return _evaluate(list(rules.values_list("pk", flat=True)), forecast)


def evaluate_due_rules() -> EvaluationReport:
    """Evaluate the rules that have not seen the newest forecast of their region."""
    rules = AlertRule.objects.enabled().annotate(newest_forecast=NEWEST_FORECAST)
    unseen = Q(last_forecast=None) | ~Q(last_forecast=F("newest_forecast"))
    pairs = rules.filter(unseen, newest_forecast__isnull=False)
    due: dict[UUID, list[UUID]] = {}
    for rule_id, forecast_id in pairs.values_list("pk", "newest_forecast"):
        due.setdefault(forecast_id, []).append(rule_id)
    return sum(
        (
            _evaluate(due[forecast.pk], forecast)
            for forecast in Forecast.objects.filter(pk__in=due)
        ),
        start=NOTHING_DONE,
    )


def _evaluate(rule_ids: list[UUID], forecast: Forecast) -> EvaluationReport:
    pair = ForecastPair(forecast=forecast)
    reports = (_evaluate_safely(rule_id, pair) for rule_id in rule_ids)
    return sum(reports, start=NOTHING_DONE)


def _evaluate_safely(rule_id: UUID, pair: ForecastPair) -> EvaluationReport:
    try:
        tails = AlertRule.objects.enabled().filter(metric=AlertRule.Metric.TVAR)
        if (tail := tails.filter(pk=rule_id).first()) is not None:
            # What takes long is computed, and stored, before the rule is locked.
            tail.region = pair.region
            hot_areas_of(tail, pair)
        report = _evaluate_rule(rule_id, pair, now=timezone.now())
    except Exception:
        # Whatever it is: the other rules are still to be evaluated.
        ALERT_EVALUATION_FAILURES.inc()
        logger.exception("the alert rule %s is evaluated again later", rule_id)
        return EvaluationReport(failed_count=1)
    ALERTS_OPENED.inc(report.opened_count)
    ALERTS_RESOLVED.inc(report.resolved_count)
    ALERTS_HELD_BACK.inc(report.held_back_count)
    return report


@transaction.atomic
def _evaluate_rule(
    rule_id: UUID, pair: ForecastPair, *, now: datetime
) -> EvaluationReport:
    """Follow one rule; its row is locked, so two processes do so in turn."""
    rule = _locked_rule(rule_id, pair.forecast)
    if rule is None:
        return NOTHING_DONE
    if pair.forecast.valid_until <= now:
        # Backfilled, or late: nobody can act on a window that is over.
        _note_evaluated(rule, pair.forecast)
        return EvaluationReport(rule_count=1)
    rule.region = pair.region
    areas = hot_areas_of(rule, pair)
    alerts = list(rule.alerts.unresolved().order_by("pk"))
    areas_of, new_areas = _match(areas, alerts)
    for alert, own_areas in areas_of.items():
        _place(alert, joined(own_areas), pair.forecast, now)
        alert.save(update_fields=FOLLOWED_FIELDS)
    resolved = _resolve(alerts, areas_of, now)
    lately = rule.alerts.filter(opened_at__gt=now - BUDGET_PERIOD).count()
    room = max(0, rule.daily_budget - lately)
    opened = _open(rule, new_areas[:room], pair.forecast, now)
    held_back_count = len(new_areas) - len(opened)
    _note_evaluated(rule, pair.forecast, held_back_count=held_back_count)
    return EvaluationReport(
        rule_count=1,
        opened_count=len(opened),
        followed_count=len(areas_of),
        resolved_count=len(resolved),
        held_back_count=held_back_count,
    )


def _note_evaluated(
    rule: AlertRule, forecast: Forecast, *, held_back_count: int = 0
) -> None:
    AlertRule.objects.filter(pk=rule.pk).update(
        last_forecast=forecast, held_back_count=F("held_back_count") + held_back_count
    )
    publish_changes(change_names.alerts_of(rule.organisation_id))


def _locked_rule(rule_id: UUID, forecast: Forecast) -> AlertRule | None:
    """Return the rule if the forecast is news to it."""
    # Without a join: what is joined to a row that was waited for is as of before.
    rule = (
        AlertRule.objects.enabled()
        .filter(pk=rule_id, region=forecast.region_id, horizon_sec=forecast.horizon_sec)
        .select_for_update()
        .first()
    )
    if rule is None:
        return None
    last = rule.last_forecast
    # The same order as that of `newest_first`.
    order = attrgetter("issued_for", "served_at", "pk")
    return rule if last is None or order(last) < order(forecast) else None


def _match(
    areas: list[HotArea], alerts: list[Alert]
) -> tuple[dict[Alert, list[HotArea]], list[HotArea]]:
    """Give each area to the oldest alert that it overlaps; the rest is new."""
    known = [(alert, frozenset(alert.cells)) for alert in alerts]
    areas_of: dict[Alert, list[HotArea]] = {}
    new = []
    for area in areas:
        owner = next(
            (alert for alert, cells in known if not cells.isdisjoint(area.cells)), None
        )
        if owner is None:
            new.append(area)
        else:
            areas_of.setdefault(owner, []).append(area)
    return areas_of, new


def _place(alert: Alert, area: HotArea, forecast: Forecast, now: datetime) -> None:
    alert.cells = list(area.cells)
    alert.value = area.worst_value
    alert.lat, alert.lon = area.worst_place
    alert.last_forecast, alert.valid_until = forecast, forecast.valid_until
    alert.last_seen_at = now


def _resolve(
    alerts: list[Alert],
    areas_of: dict[Alert, list[HotArea]],
    now: datetime,
) -> list[Alert]:
    """Resolve what has cooled, and what another alert has grown over."""
    cooled = [alert for alert in alerts if alert not in areas_of]
    for alert in cooled:
        cells = frozenset(alert.cells)
        alert.state, alert.resolved_at = Alert.State.RESOLVED, now
        alert.merged_into = next(
            (other for other in areas_of if not cells.isdisjoint(other.cells)), None
        )
        alert.save(update_fields=("state", "resolved_at", "merged_into"))
    record_changes(cooled, kind=AlertChange.Kind.RESOLVED, now=now)
    return cooled


def _open(
    rule: AlertRule, areas: list[HotArea], forecast: Forecast, now: datetime
) -> list[Alert]:
    alerts = []
    for area in areas:
        alert = Alert(
            rule=rule,
            severity=rule.severity,
            first_forecast=forecast,
            first_issued_for=forecast.issued_for,
            first_valid_until=forecast.valid_until,
            opened_at=now,
        )
        _place(alert, area, forecast, now)
        alert.first_cells = alert.cells
        alerts.append(alert)
    Alert.objects.bulk_create(alerts)
    record_changes(alerts, kind=AlertChange.Kind.OPENED, now=now)
    return alerts
