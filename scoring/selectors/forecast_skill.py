"""Reads of how forecasts did."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.db.models import Avg, Count, F, FloatField, Q, QuerySet, Sum
from django.db.models.functions import Cast, TruncWeek
from msgspec import Meta, Struct

from riskplatform.api.keys.access import Access, regions_seen
from scoring.engine.consistency import SIGNIFICANCE
from scoring.errors import ForecastNotFoundError, HorizonNotPassedError
from scoring.models import Forecast, ForecastSkill, ModelVersion, Region

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


def list_forecasts(
    access: Access,
    *,
    region: Region | None = None,
    model_version: UUID | None = None,
    horizon_sec: int | None = None,
    is_shadow: bool | None = None,
) -> QuerySet[Forecast]:
    given = {
        "region": region,
        "model_version": model_version,
        "horizon_sec": horizon_sec,
        "is_shadow": is_shadow,
    }
    filters = {name: value for name, value in given.items() if value is not None}
    return (
        Forecast.objects.filter(regions_seen(access, at="region__"), **filters)
        .select_related("region", "model_version", "skill")
        .defer("region__boundary", "model_version__skill")
    )


def get_forecast(forecast_id: UUID, *, access: Access) -> Forecast:
    found = list_forecasts(access).filter(pk=forecast_id).first()
    if found is None:
        raise ForecastNotFoundError(f"There is no forecast {forecast_id}.")
    return found


def scored_after(forecast: Forecast) -> datetime:
    """Say when the outcome counts as complete: events may arrive late."""
    embargo = timedelta(seconds=settings.FORECAST_EMBARGO_S)
    return forecast.valid_until + embargo


def get_forecast_skill(forecast: Forecast) -> ForecastSkill:
    """Return how a forecast did.

    Raises
    ------
    HorizonNotPassedError
        It has not been scored yet.
    """
    found = ForecastSkill.objects.filter(forecast=forecast).first()
    if found is None:
        due_at = scored_after(forecast)
        raise HorizonNotPassedError(
            "The outcome of the forecast is not known yet. It is scored after "
            f"{due_at.isoformat()}, once the record of events reaches beyond "
            f"{forecast.valid_until.isoformat()}.",
            scored_after=due_at.isoformat(),
        )
    return found


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
