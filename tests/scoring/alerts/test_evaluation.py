"""A rule opens alerts, follows them from forecast to forecast, and resolves them."""

import pytest
from django.utils import timezone

from scoring.models import Alert, AlertChange, Region
from scoring.services.alerts.evaluation import evaluate_due_rules, evaluate_rules
from tests.scoring.alerts.watching import line_of_cells, make_rule, publish
from tests.support.factories import DAY_S

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def test_each_connected_area_is_one_alert(region: Region) -> None:
    one, two, three, _, five = line_of_cells(5)
    rule = make_rule(region, severity="critical")
    forecast = publish(region, {one: 0.6, two: 0.9, three: 0.7, five: 0.8})

    report = evaluate_rules(forecast)

    assert (report.rule_count, report.opened_count) == (1, 2)
    first, second = Alert.objects.order_by("-value")
    assert first.cells == first.first_cells == [two, three, one]
    assert (first.value, first.severity, first.state) == (0.9, "critical", "open")
    assert second.cells == [five]
    assert first.first_forecast == first.last_forecast == forecast
    place = region.cells.get(h3=two)
    assert (first.lat, first.lon) == pytest.approx((place.lat, place.lon))
    rule.refresh_from_db()
    assert rule.last_forecast == forecast
    assert [change.kind for change in AlertChange.objects.all()] == ["opened"] * 2


def test_the_same_forecast_again_changes_nothing(region: Region) -> None:
    make_rule(region)
    forecast = publish(region, {line_of_cells(1)[0]: 0.9})
    evaluate_rules(forecast)
    before = list(Alert.objects.values())

    report = evaluate_rules(forecast)

    assert report.rule_count == 0
    assert list(Alert.objects.values()) == before
    assert AlertChange.objects.count() == 1


def test_an_area_that_stays_hot_is_followed_and_not_repeated(region: Region) -> None:
    one, two, three = line_of_cells(3)
    make_rule(region)
    evaluate_rules(publish(region, {one: 0.6, two: 0.7}))
    later = publish(region, {two: 0.8, three: 0.9}, hours=1)

    report = evaluate_rules(later)

    alert = Alert.objects.get()
    assert (report.opened_count, report.followed_count) == (0, 1)
    assert (alert.cells, alert.first_cells) == ([three, two], [two, one])
    assert (alert.value, alert.last_forecast) == (0.9, later)
    assert AlertChange.objects.count() == 1


def test_an_area_that_cooled_is_resolved(region: Region) -> None:
    make_rule(region)
    evaluate_rules(publish(region, {line_of_cells(1)[0]: 0.9}))

    report = evaluate_rules(publish(region, {}, hours=1))

    alert = Alert.objects.get()
    assert report.resolved_count == 1
    assert (alert.state, alert.merged_into) == ("resolved", None)
    assert alert.resolved_at is not None
    kinds = AlertChange.objects.values_list("kind", flat=True)
    assert list(kinds) == ["opened", "resolved"]


def test_an_area_that_heats_up_again_is_a_new_alert(region: Region) -> None:
    hot = {line_of_cells(1)[0]: 0.9}
    make_rule(region)
    for hours, means in enumerate((hot, {}, hot)):
        evaluate_rules(publish(region, means, hours=hours))
    states = Alert.objects.order_by("pk").values_list("state", flat=True)
    assert sorted(states) == ["open", "resolved"]


def test_areas_that_grow_together_go_on_as_the_older_alert(region: Region) -> None:
    one, two, three = line_of_cells(3)
    make_rule(region)
    evaluate_rules(publish(region, {one: 0.9}))
    evaluate_rules(publish(region, {one: 0.8, three: 0.9}, hours=1))

    evaluate_rules(publish(region, {one: 0.8, two: 0.7, three: 0.9}, hours=2))

    older = Alert.objects.unresolved().get()
    merged = Alert.objects.exclude(pk=older.pk).get()
    assert (older.cells, older.first_cells) == ([three, one, two], [one])
    assert (merged.state, merged.merged_into) == ("resolved", older)


def test_an_area_that_falls_apart_stays_one_alert(region: Region) -> None:
    one, two, three = line_of_cells(3)
    make_rule(region)
    evaluate_rules(publish(region, {one: 0.8, two: 0.7, three: 0.9}))

    evaluate_rules(publish(region, {one: 0.8, three: 0.9}, hours=1))

    assert Alert.objects.get().cells == [three, one]


def test_an_older_forecast_and_one_in_the_shadow_are_no_news(region: Region) -> None:
    hot = {line_of_cells(1)[0]: 0.9}
    make_rule(region)
    evaluate_rules(publish(region, {}, hours=2))
    for forecast in (
        publish(region, hot, hours=1),
        publish(region, hot, hours=3, is_shadow=True),
        publish(region, hot, hours=3, horizon_sec=7 * DAY_S),
    ):
        assert evaluate_rules(forecast).rule_count == 0
    assert not Alert.objects.exists()


def test_the_sweep_asks_about_the_newest_forecast_only(region: Region) -> None:
    one, two, three = line_of_cells(3)
    rule = make_rule(region)
    make_rule(region, name="Off", is_enabled=False)
    publish(region, {one: 0.9})
    newest = publish(region, {three: 0.9}, hours=1)
    publish(region, {two: 0.9}, hours=2, is_shadow=True)

    assert evaluate_due_rules().rule_count == 1
    assert evaluate_due_rules().rule_count == 0
    assert Alert.objects.get().cells == [three]
    rule.refresh_from_db()
    assert rule.last_forecast == newest


def test_alerts_know_when_they_were_opened_and_seen(region: Region) -> None:
    before = timezone.now()
    make_rule(region)
    evaluate_rules(publish(region, {line_of_cells(1)[0]: 0.9}))
    alert = Alert.objects.get()
    assert before <= alert.opened_at == alert.last_seen_at <= timezone.now()
