"""No alert opens for a window that is over, and none stays open once it is."""

from datetime import timedelta
from typing import Any

import pytest

from scoring.models import Alert, AlertRule, Region
from scoring.services.alerts.evaluation import evaluate_due_rules, evaluate_rules
from scoring.services.alerts.states import (
    PAST_GRACE,
    acknowledge_alert,
    resolve_past_alerts,
)
from tests.scoring.alerts.watching import at, line_of_cells, make_rule, publish

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@pytest.fixture
def rule(region: Region) -> AlertRule:
    return make_rule(region)


def hot() -> dict[int, float]:
    return {line_of_cells(1)[0]: 0.9}


def test_a_forecast_of_a_past_window_opens_nothing_and_is_asked_about_once(
    region: Region, rule: AlertRule
) -> None:
    backfilled = publish(region, hot(), hours=-24)
    report = evaluate_due_rules()
    assert (report.rule_count, report.opened_count) == (1, 0)
    assert not Alert.objects.exists()
    rule.refresh_from_db()
    assert rule.last_forecast == backfilled
    assert evaluate_due_rules().rule_count == 0


def test_a_forecast_that_comes_late_opens_alerts_up_to_the_end_of_its_window(
    region: Region, rule: AlertRule, time_machine: Any
) -> None:
    forecast = publish(region, hot())
    time_machine.move_to(at(24) - timedelta(seconds=1), tick=False)
    assert evaluate_rules(forecast).opened_count == 1
    Alert.objects.all().delete()
    AlertRule.objects.update(last_forecast=None)
    time_machine.move_to(at(24), tick=False)
    assert evaluate_rules(forecast).opened_count == 0


def test_a_rule_made_or_changed_later_opens_nothing_on_the_last_forecast_of_a_feed(
    region: Region,
) -> None:
    publish(region, hot(), hours=-24 * 30)
    rule = make_rule(region)
    evaluate_due_rules()
    AlertRule.objects.filter(pk=rule.pk).update(last_forecast=None)
    evaluate_due_rules()
    assert not Alert.objects.exists()


@pytest.mark.parametrize("is_acknowledged", [False, True])
def test_an_alert_is_resolved_once_its_window_is_over_and_was_not_renewed(
    alert: Alert, is_acknowledged: bool, time_machine: Any
) -> None:
    if is_acknowledged:
        owner = alert.rule.organisation
        acknowledge_alert(alert.pk, organisation=owner, actor="kim")
    time_machine.move_to(at(24) + PAST_GRACE - timedelta(seconds=1), tick=False)
    assert resolve_past_alerts() == 0
    time_machine.move_to(at(24) + PAST_GRACE, tick=False)
    assert resolve_past_alerts() == 1
    alert.refresh_from_db()
    assert (alert.state, alert.resolved_at) == ("resolved", at(24) + PAST_GRACE)
    assert alert.changes.order_by("pk").values_list("kind", flat=True).last() == (
        "resolved"
    )
    assert resolve_past_alerts() == 0


def test_an_alert_that_later_forecasts_follow_stays_open(
    region: Region, alert: Alert, time_machine: Any
) -> None:
    evaluate_rules(publish(region, {line_of_cells(2)[1]: 0.9}, hours=12))
    time_machine.move_to(at(30))
    assert resolve_past_alerts() == 0
    alert.refresh_from_db()
    assert (alert.state, alert.valid_until) == ("open", at(36))
