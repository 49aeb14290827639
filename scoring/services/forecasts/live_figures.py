"""Shows in the metrics whether forecasts are there in time, and how they did lately."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

import numpy as np
from django.utils import timezone

from scoring.engine.consistency import SIGNIFICANCE
from scoring.metrics import (
    CALIBRATION_ERROR,
    FORECAST_OVERDUE,
    NUMBER_TEST_PASS_RATIO,
)
from scoring.models import Forecast, ForecastSkill, ModelVersion
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
        passed = sum(map(passes_number_test, skills))
        NUMBER_TEST_PASS_RATIO.labels(slug).set(passed / len(skills))
        CALIBRATION_ERROR.labels(slug).set(calibration_error(skills))


def passes_number_test(skill: ForecastSkill) -> bool:
    return min(skill.n_test_low, skill.n_test_high) > SIGNIFICANCE / 2


def calibration_error(skills: Sequence[ForecastSkill]) -> float:
    """Give the expected calibration error of P(at least one event), lower is better.

    The mean over cells of the distance, bin by bin, between the probability that was
    forecast and the share in which it happened (Naeini et al., 2015).
    """
    # Cases, sums of probabilities and cases that happened, for each bin.
    tables = [np.array(skill.figures["reliability"]) for skill in skills]
    cases, expected, happened = np.sum(tables, axis=0)
    return float(np.abs(expected - happened).sum() / cases.sum())


def _show_overdue() -> None:
    now = timezone.now()
    champions = ModelVersion.objects.champions().select_related("region")
    for champion in champions.defer("region__boundary", "skill"):
        due_at = issue_instant(champion.region)
        made = Forecast.objects.filter(model_version=champion, issued_for=due_at)
        late_s = 0.0 if made.exists() else (now - due_at).total_seconds()
        FORECAST_OVERDUE.labels(champion.region.slug).set(max(late_s, 0.0))
