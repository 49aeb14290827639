"""Operators see which region owes forecasts, and how well those of late did."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY

from scoring.models import Forecast, ForecastSkill, Region
from scoring.services.forecasts.live_figures import show_live_figures
from tests.support.factories import make_forecast, make_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def shown(name: str, region: Region) -> float | None:
    return REGISTRY.get_sample_value(f"scoring_{name}", {"region": region.slug})


def make_skill(
    forecast: Forecast, *, low: float, happened: tuple[float, float]
) -> ForecastSkill:
    """Score a forecast that gave 0.1 in eight cells and 0.5 in two."""
    reliability = [[8.0, 2.0], [0.8, 1.0], list(happened)]
    return ForecastSkill.objects.create(
        forecast=forecast,
        observed_count=1,
        log_score=0.0,
        brier_score=0.0,
        n_test_low=low,
        n_test_high=0.9,
        figures={"reliability": reliability},
    )


def test_a_region_owes_forecasts_until_its_champion_has_made_them() -> None:
    region = make_region()
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    old = make_forecast(region, issued_for=hour - timedelta(hours=3))
    show_live_figures()
    owed_s = shown("forecast_overdue_seconds", region)
    assert owed_s is not None
    assert 0.0 < owed_s < 3_600.0
    # The next hour may begin while this runs.
    for issued_for in (hour, hour + timedelta(hours=1)):
        make_forecast(region, model_version=old.model_version, issued_for=issued_for)
    show_live_figures()
    assert shown("forecast_overdue_seconds", region) == 0.0


def test_tests_passed_and_calibration_are_those_of_the_last_thirty_days() -> None:
    region = make_region()
    forecasts = [
        make_forecast(region, issued_for=timezone.now() - timedelta(days=day))
        for day in range(4)
    ]
    make_skill(forecasts[0], low=0.5, happened=(0.0, 1.0))
    make_skill(forecasts[1], low=0.01, happened=(2.0, 1.0))
    # One of a challenger, and one of long ago.
    Forecast.objects.filter(pk=forecasts[2].pk).update(is_shadow=True)
    make_skill(forecasts[2], low=0.01, happened=(8.0, 2.0))
    old = make_skill(forecasts[3], low=0.01, happened=(8.0, 2.0))
    long_ago = timezone.now() - timedelta(days=31)
    ForecastSkill.objects.filter(pk=old.pk).update(scored_at=long_ago)
    show_live_figures()
    assert shown("number_test_pass_ratio", region) == 0.5
    # |2 * 0.8 - 2| cells of 20, and the other bin is right.
    assert shown("calibration_error_ratio", region) == pytest.approx(0.4 / 20)
