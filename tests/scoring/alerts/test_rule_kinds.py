"""What a rule can ask: of which cells, which figure, and how many alerts to open."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from scoring.models import Alert, AlertRule, ForecastArrays, Region
from scoring.services.alerts.evaluation import evaluate_due_rules, evaluate_rules
from tests.scoring.alerts.watching import (
    CENTRE_CELL,
    line_of_cells,
    make_rule,
    publish,
)
from tests.support.factories import make_organisation, make_portfolio, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
CHANGE = AlertRule.Comparison.CHANGE


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def test_a_probability_is_asked_about_by_its_own_threshold(region: Region) -> None:
    one, _, three = line_of_cells(3)
    make_rule(region, metric="p_event", threshold=0.5)
    evaluate_rules(publish(region, {one: 0.6, three: 0.8}))
    alert = Alert.objects.get()
    assert alert.cells == [three]
    assert alert.value == pytest.approx(0.5506710)


def test_a_rule_on_cells_looks_at_no_others(region: Region) -> None:
    one, _, three = line_of_cells(3)
    make_rule(region, cells=[three])
    evaluate_rules(publish(region, {one: 0.9, three: 0.6}))
    assert Alert.objects.get().cells == [three]


def test_a_rule_on_a_portfolio_looks_at_cells_with_its_assets(region: Region) -> None:
    portfolio = make_portfolio(n_assets=1)
    far = next(cell for cell in line_of_cells(7) if cell != CENTRE_CELL)
    make_rule(region, portfolio=portfolio)
    evaluate_rules(publish(region, {far: 0.9, CENTRE_CELL: 0.6}))
    assert Alert.objects.get().cells == [CENTRE_CELL]


def test_a_change_is_measured_against_the_forecast_before(region: Region) -> None:
    one, _, three = line_of_cells(3)
    make_rule(region, comparison=CHANGE, threshold=2.0)
    assert evaluate_rules(publish(region, {one: 0.3})).opened_count == 0
    evaluate_rules(publish(region, {one: 0.5, three: 0.4}, hours=1))
    alert = Alert.objects.get()
    assert alert.cells == [three]
    assert alert.value == pytest.approx(400.0)


def test_a_cell_that_the_region_had_not_before_is_no_change(region: Region) -> None:
    (one,) = line_of_cells(1)
    region.cells.filter(h3=one).delete()
    publish(region, {})
    make_region()
    make_rule(region, comparison=CHANGE, threshold=2.0)
    assert evaluate_rules(publish(region, {one: 0.9}, hours=1)).opened_count == 0


def test_the_budget_opens_the_hottest_and_counts_what_it_holds(region: Region) -> None:
    one, _, three, _, five = line_of_cells(5)
    rule = make_rule(region, daily_budget=2)
    before = metric("scoring_alerts_held_back_total")

    report = evaluate_rules(publish(region, {one: 0.6, three: 0.7, five: 0.8}))

    assert (report.opened_count, report.held_back_count) == (2, 1)
    assert sorted(Alert.objects.values_list("value", flat=True)) == [0.7, 0.8]
    rule.refresh_from_db()
    assert rule.held_back_count == 1
    assert metric("scoring_alerts_held_back_total") == before + 1


def test_the_budget_is_that_of_the_last_24_hours(region: Region) -> None:
    one, _, three = line_of_cells(3)
    make_rule(region, daily_budget=1)
    evaluate_rules(publish(region, {one: 0.9}))
    held = evaluate_rules(publish(region, {one: 0.9, three: 0.8}, hours=1))
    assert (held.opened_count, held.held_back_count) == (0, 1)
    alert = Alert.objects.get()
    alert.opened_at -= timedelta(hours=24, seconds=1)
    alert.save()
    freed = evaluate_rules(publish(region, {one: 0.9, three: 0.8}, hours=2))
    assert (freed.opened_count, freed.followed_count) == (1, 1)


def test_rules_have_alerts_of_their_own(region: Region) -> None:
    (one,) = line_of_cells(1)
    make_rule(region)
    make_rule(region, organisation=make_organisation("other"))
    make_rule(make_region("elsewhere"), name="Elsewhere")
    report = evaluate_rules(publish(region, {one: 0.9}))
    assert (report.rule_count, report.opened_count) == (2, 2)


def test_a_rule_without_an_answer_keeps_no_other_from_its_own(
    region: Region, caplog: pytest.LogCaptureFixture
) -> None:
    portfolio = make_portfolio(n_assets=1)
    (one,) = line_of_cells(1)
    lost = make_rule(
        region, metric="tvar", quantile=0.9, threshold=1.0, portfolio=portfolio
    )
    make_rule(region, name="Fine")
    forecast = publish(region, {one: 0.9})
    ForecastArrays.objects.filter(forecast=forecast).update(scenarios=b"broken")

    report = evaluate_rules(forecast)

    assert (report.failed_count, report.opened_count) == (1, 1)
    assert f"the alert rule {lost.pk} is evaluated again later" in caplog.text
    lost.refresh_from_db()
    assert lost.last_forecast is None
    assert evaluate_due_rules().failed_count == 1
