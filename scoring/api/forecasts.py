"""Published forecasts, and how they did."""

from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request

from riskplatform.api.endpoints import Router
from riskplatform.api.keys.access import READ_REGIONS, find_access
from riskplatform.api.keys.permissions import has_right
from riskplatform.api.paging import Page, PageQuery, page_of
from riskplatform.kernel.instants import AwareTime
from scoring.api.access import find_region
from scoring.api.schemas import HorizonSec, Slug
from scoring.models import Forecast, ForecastSkill
from scoring.selectors.forecasts import (
    get_forecast,
    get_forecast_skill,
    list_forecasts,
    versions_named,
)

router = Router()
READERS = has_right(READ_REGIONS)


class ForecastListQuery(PageQuery):
    region: Slug | None = None
    model_version: (
        Annotated[str, Meta(max_length=50, description="Its name or its id.")] | None
    ) = None
    horizon_sec: HorizonSec | None = None
    is_shadow: (
        Annotated[bool, Meta(description="Those made beside the champion, or not.")]
        | None
    ) = None


class ForecastSkillFigures(Struct):
    scored_at: AwareTime
    observed_count: int
    log_score: Annotated[float, Meta(description="Nats, higher is better.")]
    brier_score: Annotated[float, Meta(description="Lower is better.")]
    gain: Annotated[
        float | None, Meta(description="Nats an event over long-run rates.")
    ]
    n_test_low: Annotated[float, Meta(description="P(at least as many as observed).")]
    n_test_high: Annotated[float, Meta(description="P(at most as many as observed).")]

    @classmethod
    def of(cls, skill: ForecastSkill, **more: Any) -> Self:
        return cls(
            scored_at=skill.scored_at,
            observed_count=skill.observed_count,
            log_score=skill.log_score,
            brier_score=skill.brier_score,
            gain=skill.gain,
            n_test_low=skill.n_test_low,
            n_test_high=skill.n_test_high,
            **more,
        )


class ForecastSummary(Struct):
    id: str
    region: str
    model_id: str
    model_version: str
    issued_for: AwareTime
    valid_until: AwareTime
    horizon_sec: int
    expected_count: float
    cell_count: int
    raised_from_shorter_horizon: Annotated[
        int, Meta(description="Cells with the figure of a shorter horizon.")
    ]
    is_shadow: bool
    created_at: AwareTime
    skill: Annotated[
        ForecastSkillFigures | None, Meta(description="Once its horizon has passed.")
    ]

    @classmethod
    def of(cls, forecast: Forecast) -> Self:
        skill = getattr(forecast, "skill", None)
        return cls(
            id=str(forecast.pk),
            region=forecast.region.slug,
            model_id=str(forecast.model_version_id),
            model_version=str(forecast.model_version),
            issued_for=forecast.issued_for,
            valid_until=forecast.valid_until,
            horizon_sec=forecast.horizon_sec,
            expected_count=forecast.expected_count,
            cell_count=forecast.cell_count,
            raised_from_shorter_horizon=forecast.raised_cell_count,
            is_shadow=forecast.is_shadow,
            created_at=forecast.created_at,
            skill=None if skill is None else ForecastSkillFigures.of(skill),
        )


class ForecastSkillDetail(ForecastSkillFigures):
    forecast: ForecastSummary
    figures: dict[str, Any]


@router.get("forecasts", READERS)
def forecasts_list(request: Request, query: ForecastListQuery) -> Page[ForecastSummary]:
    """List forecasts in the order they were made, newest first."""
    region = None if query.region is None else find_region(request, query.region)
    forecasts = list_forecasts(
        find_access(request),
        region=region,
        versions=None
        if query.model_version is None
        else versions_named(query.model_version),
        horizon_sec=query.horizon_sec,
        is_shadow=query.is_shadow,
    )
    return page_of(forecasts, query, ForecastSummary.of, newest_first=True)


@router.get("forecasts/<uuid:forecast_id>", READERS)
def forecasts_get(request: Request, forecast_id: UUID) -> ForecastSummary:
    """Give one forecast: what made it, for when, and how it did once that is known."""
    return ForecastSummary.of(get_forecast(forecast_id, access=find_access(request)))


@router.get("forecasts/<uuid:forecast_id>/skill", READERS, problems=(409,))
def forecasts_skill(request: Request, forecast_id: UUID) -> ForecastSkillDetail:
    """Give the skill of a forecast; 409 with the time it will be known before that."""
    forecast = get_forecast(forecast_id, access=find_access(request))
    skill = get_forecast_skill(forecast)
    return ForecastSkillDetail.of(
        skill, forecast=ForecastSummary.of(forecast), figures=skill.figures
    )
