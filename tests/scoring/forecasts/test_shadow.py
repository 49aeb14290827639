"""A challenger forecasts in the shadow of the champion, and both are scored."""

from datetime import timedelta

import pytest

from scoring.errors import ModelVersionNotFoundError, PromotionRefusedError
from scoring.models import Forecast, ForecastSkill
from scoring.selectors.forecasts import get_latest_forecast
from scoring.selectors.regions import grid_of_region
from scoring.services.forecasts.publishing import renew_forecasts
from scoring.services.forecasts.skill import (
    score_due_forecasts,
    write_missing_forecasts,
)
from scoring.services.registry.promotion import challenge, promote
from scoring.services.registry.training import TrainingPlan, train_model_version
from tests.support.factories import DAY_S, make_region
from tests.support.random_events import START, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def test_both_are_compared_on_the_instants_of_each_refresh() -> None:
    region = make_region(rings=1)
    store_random_events(region)
    champion, challenger = (
        train_model_version(
            region,
            plan=TrainingPlan(
                grid=grid_of_region(region),
                until=START + timedelta(days=150),
                horizons_sec=(DAY_S,),
                kind=kind,
            ),
            progress=lambda _: None,
        ).version
        for kind in ("poisson_glm", "linear_poisson")
    )
    assert (champion.state, challenger.state) == ("candidate", "candidate")
    promote(champion, actor="test")
    challenge(challenger)
    for day in (160, 170):
        moment = START + timedelta(days=day)
        served = renew_forecasts(region, issued_for=moment)
        assert renew_forecasts(region, issued_for=moment) == served
        assert get_latest_forecast(region, horizon_sec=DAY_S) == served[0]
    assert Forecast.objects.filter(model_version=champion, is_shadow=False).count() == 2
    assert (
        Forecast.objects.filter(model_version=challenger, is_shadow=True).count() == 2
    )
    assert write_missing_forecasts() == 4
    assert score_due_forecasts() == 4
    counts = ForecastSkill.objects.order_by("forecast__issued_for")
    first, second, third, fourth = counts.values_list("observed_count", flat=True)
    assert (first, third) == (second, fourth)
    with pytest.raises(PromotionRefusedError, match="only 2 of 14 windows") as caught:
        promote(challenger, actor="test")
    [figures] = caught.value.context["gate"]["horizons"]
    assert figures["window_count"] == 2
    assert figures["event_count"] == first + third


def test_a_region_without_a_champion_has_nothing_to_renew() -> None:
    with pytest.raises(ModelVersionNotFoundError, match="has no champion"):
        renew_forecasts(make_region(rings=0))
