"""A rule on the tail loss of a portfolio fires as one area: the cells with assets."""

from typing import Any

import pytest
from django.db import connection

from scoring.models import Alert, AlertRule, Assessment, Portfolio, Region
from scoring.selectors.assessment_figures import measure
from scoring.services import assessments
from scoring.services.alerts.evaluation import evaluate_rules
from tests.scoring.alerts.watching import at, make_rule, publish
from tests.support.factories import make_organisation, make_portfolio
from tests.support.forecasts_with_events import make_forecast_with_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def tail_rule(
    region: Region, portfolio: Portfolio, *, threshold: float, comparison: str = "level"
) -> AlertRule:
    return make_rule(
        region,
        metric="tvar",
        quantile=0.95,
        portfolio=portfolio,
        threshold=threshold,
        comparison=comparison,
    )


def test_a_loss_over_the_threshold_is_one_alert_on_the_cells(region: Region) -> None:
    portfolio = make_portfolio(n_assets=3)
    tail_rule(region, portfolio, threshold=1.0)
    evaluate_rules(make_forecast_with_events(region, issued_for=at(0)))
    alert, assessment = Alert.objects.get(), Assessment.objects.get()
    assert alert.value == float(assessment.figures["tvar"]["0.95"]) > 1.0
    places = portfolio.assets.values_list("places__h3", flat=True)
    assert sorted(alert.cells) == sorted(places)


def test_the_alert_stays_one_while_the_loss_is_high(region: Region) -> None:
    tail_rule(region, make_portfolio(n_assets=3), threshold=1.0)
    evaluate_rules(make_forecast_with_events(region, issued_for=at(0)))
    evaluate_rules(make_forecast_with_events(region, issued_for=at(1), scale=2.0))
    assert Alert.objects.get().state == "open"
    evaluate_rules(publish(region, {}, hours=2))
    assert Alert.objects.get().state == "resolved"


def test_a_loss_below_the_threshold_is_none(region: Region) -> None:
    tail_rule(region, make_portfolio(n_assets=3), threshold=1e9)
    assert (
        evaluate_rules(make_forecast_with_events(region, issued_for=at(0))).opened_count
        == 0
    )


def test_a_change_of_the_loss_is_measured_against_the_forecast_before(
    region: Region,
) -> None:
    rule = tail_rule(
        region, make_portfolio(n_assets=3), threshold=1.2, comparison="change"
    )
    first = make_forecast_with_events(region, issued_for=at(0), scale=0.1)
    assert evaluate_rules(first).opened_count == 0
    evaluate_rules(make_forecast_with_events(region, issued_for=at(1)))
    alert = Alert.objects.get(rule=rule)
    after, before = Assessment.objects.order_by("-forecast__issued_for")
    ratio = float(after.figures["tvar"]["0.95"]) / float(before.figures["tvar"]["0.95"])
    assert alert.value == pytest.approx(ratio)


def test_a_portfolio_without_assets_there_is_silent(region: Region) -> None:
    empty = make_portfolio(make_organisation(), name="Empty")
    rule = tail_rule(region, empty, threshold=1.0)
    report = evaluate_rules(make_forecast_with_events(region, issued_for=at(0)))
    assert (report.rule_count, report.opened_count, report.failed_count) == (1, 0, 0)
    rule.refresh_from_db()
    assert rule.last_forecast is not None


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_a_loss_is_computed_before_anything_is_locked(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back: list[bool] = []

    def noting(*arguments: Any, **named: Any) -> Any:
        held_back.append(connection.in_atomic_block)
        return measure(*arguments, **named)

    monkeypatch.setattr(assessments, "measure", noting)
    tail_rule(region, make_portfolio(n_assets=3), threshold=1.0)
    report = evaluate_rules(make_forecast_with_events(region, issued_for=at(0)))
    assert report.opened_count == 1
    assert held_back == [False]
