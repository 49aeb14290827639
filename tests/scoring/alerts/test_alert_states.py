"""People acknowledge and snooze alerts; the clock wakes them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from riskplatform.kernel.errors import InvalidInputError
from scoring.errors import AlertNotFoundError, AlertResolvedError
from scoring.models import Alert, AlertChange
from scoring.services.alerts.evaluation import evaluate_rules
from scoring.services.alerts.states import (
    MAX_SNOOZE,
    acknowledge_alert,
    snooze_alert,
    wake_alerts,
)
from tests.scoring.alerts.watching import line_of_cells, make_rule, publish
from tests.support.factories import make_organisation, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@pytest.fixture
def alert(db: None) -> Alert:
    region = make_region()
    make_rule(region)
    evaluate_rules(publish(region, {line_of_cells(1)[0]: 0.9}))
    return Alert.objects.get()


def snooze(alert: Alert, *, hours: float) -> Alert:
    return snooze_alert(
        alert.pk,
        organisation=alert.rule.organisation,
        actor="kim",
        until=timezone.now() + timedelta(hours=hours),
    )


def acknowledge(alert: Alert, *, actor: str = "kim") -> Alert:
    return acknowledge_alert(
        alert.pk, organisation=alert.rule.organisation, actor=actor
    )


def kinds(alert: Alert) -> list[str]:
    return list(alert.changes.order_by("pk").values_list("kind", flat=True))


def pass_snooze(alert: Alert) -> None:
    Alert.objects.filter(pk=alert.pk).update(snoozed_until=timezone.now())


def test_the_first_to_acknowledge_is_remembered(alert: Alert) -> None:
    acknowledge(alert, actor="kim")
    again = acknowledge(alert, actor="alex")
    assert (again.state, again.acknowledged_by) == ("acknowledged", "kim")
    assert kinds(alert) == ["opened", "acknowledged"]
    assert AlertChange.objects.latest("pk").actor == "kim"


def test_a_snoozed_alert_comes_back_when_the_snooze_has_passed(alert: Alert) -> None:
    snooze(alert, hours=1)
    assert wake_alerts() == 0
    pass_snooze(alert)

    assert wake_alerts() == 1

    alert.refresh_from_db()
    assert (alert.state, alert.snoozed_until) == ("open", None)
    assert kinds(alert) == ["opened", "snoozed", "woken"]
    assert wake_alerts() == 0


def test_an_alert_can_be_snoozed_and_acknowledged_again(alert: Alert) -> None:
    for _ in range(2):
        snooze(alert, hours=1)
        pass_snooze(alert)
        wake_alerts()
    assert acknowledge(snooze(alert, hours=1)).snoozed_until is None
    assert kinds(alert) == [
        *("opened", "snoozed", "woken", "snoozed", "woken"),
        *("snoozed", "acknowledged"),
    ]


@pytest.mark.parametrize("hours", [-1, 0, 24 * MAX_SNOOZE.days + 1])
def test_a_snooze_ends_in_the_next_30_days(hours: int, alert: Alert) -> None:
    with pytest.raises(InvalidInputError) as refused:
        snooze(alert, hours=hours)
    assert refused.value.faults[0].field == "until"
    assert kinds(alert) == ["opened"]


def test_a_snoozed_alert_is_followed_quietly_and_resolved(alert: Alert) -> None:
    snooze(alert, hours=1)
    region = alert.rule.region
    evaluate_rules(publish(region, {alert.cells[0]: 0.8}, hours=1))
    alert.refresh_from_db()
    assert (alert.state, alert.value) == ("snoozed", 0.8)
    evaluate_rules(publish(region, {}, hours=2))
    alert.refresh_from_db()
    assert alert.state == "resolved"


def test_what_is_resolved_stays_so(alert: Alert) -> None:
    evaluate_rules(publish(alert.rule.region, {}, hours=1))
    with pytest.raises(AlertResolvedError):
        acknowledge(alert)
    with pytest.raises(AlertResolvedError):
        snooze(alert, hours=1)


def test_an_alert_of_another_organisation_is_absent(alert: Alert) -> None:
    stranger = make_organisation("other")
    with pytest.raises(AlertNotFoundError):
        acknowledge_alert(alert.pk, organisation=stranger, actor="eve")
    alert.refresh_from_db()
    assert alert.state == "open"
