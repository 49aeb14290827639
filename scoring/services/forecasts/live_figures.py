"""Shows in the metrics whether forecasts are there in time, and how they did lately."""

from datetime import timedelta
from itertools import groupby

from django.utils import timezone

from scoring.metrics import (
    CALIBRATION_ERROR,
    FORECAST_OVERDUE,
    NUMBER_TEST_PASS_RATIO,
)
from scoring.models import Forecast, ForecastSkill, ModelVersion
from scoring.selectors.live_skill import failed_n_test, pooled_calibration_error
from scoring.services.forecasts.publishing import issue_instant

SCORED_WITHIN = timedelta(days=30)


def show_live_figures() -> None:
    """Set the gauges of freshness and of calibration, by region."""
    _show_overdue()
    recent = ForecastSkill.objects.filter(
        scored_at__gte=timezone.now() - SCORED_WITHIN, forecast__is_shadow=False
    ).select_related("forecast__region")
    ordered = recent.defer("forecast__region__boundary").order_by(
        "forecast__region__slug"
    )
    by_region = groupby(ordered.iterator(), lambda skill: skill.forecast.region.slug)
    for slug, of_region in by_region:
        skills = list(of_region)
        passed = len(skills) - sum(map(failed_n_test, skills))
        NUMBER_TEST_PASS_RATIO.labels(slug).set(passed / len(skills))
        CALIBRATION_ERROR.labels(slug).set(pooled_calibration_error(skills))


def _show_overdue() -> None:
    now = timezone.now()
    champions = ModelVersion.objects.champions().select_related("region")
    for champion in champions.defer("region__boundary", "skill"):
        due_at = issue_instant(champion.region)
        made = Forecast.objects.filter(model_version=champion, issued_for=due_at)
        late_s = 0.0 if made.exists() else (now - due_at).total_seconds()
        FORECAST_OVERDUE.labels(champion.region.slug).set(max(late_s, 0.0))
