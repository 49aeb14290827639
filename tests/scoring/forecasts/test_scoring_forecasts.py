"""A forecast is scored once its horizon has passed and the record reaches beyond."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.management import call_command

from scoring.engine.distributions import distribution_of
from scoring.errors import HorizonNotPassedError
from scoring.models import Forecast, ForecastSkill, Region
from scoring.selectors.forecasts import get_columns, get_forecast_skill
from scoring.services.forecasts.skill import (
    observed_counts,
    score_due_forecasts,
    skill_values,
    write_missing_forecasts,
)
from tests.support.factories import DAY_S, make_forecast, make_region
from tests.support.random_events import DAYS, START, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def make_run(region: Region, *, day: float, horizon_sec: int = DAY_S) -> Forecast:
    issued_for = START + timedelta(days=day)
    return make_forecast(region, issued_for=issued_for, horizon_sec=horizon_sec)


def score() -> int:
    """Score what is due, as the worker does once forecasts are in the ledger."""
    write_missing_forecasts()
    return score_due_forecasts()


@pytest.fixture
def region() -> Region:
    region = make_region()
    store_random_events(region)
    return region


def test_what_has_passed_is_scored_once_and_what_has_not_waits(region: Region) -> None:
    passed = make_run(region, day=150)
    waiting = [
        make_run(region, day=DAYS - 0.5),
        make_run(region, day=DAYS - 6, horizon_sec=7 * DAY_S),
    ]
    assert score() == 1
    assert score() == 0
    assert get_forecast_skill(passed).observed_count >= 0
    for forecast in waiting:
        with pytest.raises(HorizonNotPassedError) as caught:
            get_forecast_skill(forecast)
        due_at = datetime.fromisoformat(caught.value.context["scored_after"])
        assert due_at == forecast.valid_until + timedelta(days=1)


def test_events_may_arrive_late_until_the_embargo_ends(
    region: Region, settings: LazySettings
) -> None:
    make_run(region, day=150)
    settings.FORECAST_EMBARGO_S = 100 * 366 * DAY_S
    assert score() == 0


def test_a_feed_that_stopped_is_no_quiet_outcome(region: Region) -> None:
    make_run(region, day=DAYS + 5)
    assert score() == 0


def test_outcomes_are_counted_from_the_instant_to_the_horizon(region: Region) -> None:
    """All days together see every event once."""
    total = 0.0
    for day in range(0, DAYS, 50):
        forecast = make_run(region, day=day, horizon_sec=50 * DAY_S)
        total += observed_counts(forecast, region, get_columns(forecast)).sum()
    assert total == 600


def test_the_figures_are_those_of_their_definitions(region: Region) -> None:
    forecast = make_run(region, day=100, horizon_sec=7 * DAY_S)
    score()
    skill = ForecastSkill.objects.get()
    columns = get_columns(forecast)
    observed = observed_counts(forecast, region, columns)
    assert skill.observed_count == observed.sum() > 5
    happened = observed > 0
    assert skill.brier_score == pytest.approx(
        np.mean((columns.p_event - happened) ** 2)
    )
    poisson = observed * np.log(columns.mean) - columns.mean
    assert skill.figures["poisson_log_score"] == pytest.approx(poisson.sum())
    assert skill.n_test_low + skill.n_test_high > 1
    cases, forecasts, outcomes = np.array(skill.figures["reliability"])
    assert cases.sum() == columns.cells.size
    assert forecasts.sum() == pytest.approx(columns.p_event.sum())
    assert outcomes.sum() == happened.sum()
    rates = skill.figures["hit_rate"]
    assert 0 <= rates["0.01"] <= rates["0.05"] <= rates["0.1"] <= 1


def test_a_forecast_of_long_run_rates_gains_nothing_over_them(region: Region) -> None:
    columns = get_columns(make_run(region, day=100))
    risk = distribution_of(columns.mean, columns.alpha, columns.rate_variance)
    observed = np.ones(columns.cells.size)
    values = skill_values(columns, observed, reference=risk.mean, region_alpha=0.1)
    assert values["gain"] == pytest.approx(0.0, abs=1e-12)
    quiet = skill_values(columns, 0 * observed, reference=risk.mean, region_alpha=0.1)
    assert quiet["gain"] is None


def test_the_command_scores_what_is_due(
    region: Region, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(region, day=150)
    call_command("score_forecasts")
    assert capsys.readouterr().out == "1 forecasts scored.\n"
