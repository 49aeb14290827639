"""Reads of how forecasts did, summed up by model version."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import numpy as np
from django.db.models import Avg, Count, F, FloatField, Q, QuerySet, Sum
from django.db.models.functions import Cast, TruncWeek
from msgspec import Meta, Struct

from scoring.engine.consistency import SIGNIFICANCE
from scoring.models import ForecastSkill, ModelVersion

FAILED_N_TEST = Q(n_test_low__lte=SIGNIFICANCE / 2) | Q(
    n_test_high__lte=SIGNIFICANCE / 2
)


class LiveSkillFigures(Struct):
    """Figures over the scored forecasts of a version at one horizon."""

    horizon_sec: int
    forecast_count: int
    event_count: int
    gain: Annotated[
        float | None,
        Meta(description="Nats an event over long-run rates; none without events."),
    ]
    brier_score: float
    n_test_failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekOfSkill:
    week: date
    figures: LiveSkillFigures


def failed_n_test(skill: ForecastSkill) -> bool:
    """Say of one what FAILED_N_TEST asks of many."""
    return min(skill.n_test_low, skill.n_test_high) <= SIGNIFICANCE / 2


def pooled_calibration_error(skills: Sequence[ForecastSkill]) -> float:
    """Expected calibration error over the cells of many forecasts.

    Every forecast has the same bins of probability, so that their sums add up.
    """
    if not skills:
        return 0.0
    total = np.sum([skill.figures["reliability"] for skill in skills], axis=0)
    count, forecast, happened = np.asarray(total, dtype=np.float64)
    return float(np.abs(forecast - happened).sum() / max(float(count.sum()), 1.0))


def get_live_skill(
    versions: Iterable[ModelVersion],
) -> dict[UUID, list[LiveSkillFigures]]:
    """Sum up what is scored of each version, by horizon: one query."""
    skills = ForecastSkill.objects.filter(forecast__model_version__in=list(versions))
    rows = _summed(skills, "forecast__model_version", "forecast__horizon_sec")
    found: dict[UUID, list[LiveSkillFigures]] = {}
    for row in rows:
        found.setdefault(row["forecast__model_version"], []).append(_figures(row))
    return found


def list_skill_by_week(version: ModelVersion) -> list[WeekOfSkill]:
    """Sum up by the week that forecasts were for, oldest first: one query."""
    skills = ForecastSkill.objects.filter(forecast__model_version=version)
    by_week = skills.annotate(week=TruncWeek("forecast__issued_for"))
    rows = _summed(by_week, "week", "forecast__horizon_sec")
    return [WeekOfSkill(week=row["week"].date(), figures=_figures(row)) for row in rows]


def _summed(
    skills: QuerySet[ForecastSkill], *by: str
) -> QuerySet[ForecastSkill, dict[str, Any]]:
    """Weigh gains by events, so that quiet windows do not drown busy ones."""
    summed: QuerySet[ForecastSkill, dict[str, Any]] = (
        skills.order_by(*by)
        .values(*by)
        .annotate(
            forecasts=Count("pk"),
            events=Sum("observed_count"),
            nats=Sum(
                F("gain") * Cast("observed_count", FloatField()),
                output_field=FloatField(),
            ),
            brier=Avg("brier_score"),
            failures=Count("pk", filter=FAILED_N_TEST),
        )
    )
    return summed


def _figures(row: dict[str, Any]) -> LiveSkillFigures:
    return LiveSkillFigures(
        horizon_sec=row["forecast__horizon_sec"],
        forecast_count=row["forecasts"],
        event_count=row["events"],
        gain=row["nats"] / row["events"] if row["events"] else None,
        brier_score=row["brier"],
        n_test_failures=row["failures"],
    )
