"""Published forecasts, and how they did."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.keys.access import READ_REGIONS, find_access
from riskplatform.api.keys.permissions import has_right
from riskplatform.api.paging import page_of
from scoring.api.access import find_region
from scoring.api.registry_schemas import (
    ForecastList,
    ForecastListQuery,
    ForecastSkillDetail,
)
from scoring.models import Forecast, ForecastSkill
from scoring.selectors.forecast_skill import (
    get_forecast,
    get_forecast_skill,
    list_forecasts,
)

READERS = has_right(READ_REGIONS)


class ForecastListView(APIView):
    permission_classes = (READERS,)

    @extend_schema(
        operation_id="forecasts_list",
        parameters=query_parameters(ForecastListQuery),
        responses={(200, "application/json"): body_schema(ForecastList)},
    )
    def get(self, request: Request) -> Response:
        """List forecasts in the order they were made, newest first."""
        query = decode_query(request, ForecastListQuery)
        region = None if query.region is None else find_region(request, query.region)
        forecasts = list_forecasts(
            find_access(request),
            region=region,
            model_version=query.model_version,
            horizon_sec=query.horizon_sec,
            is_shadow=query.is_shadow,
        )
        return Response(page_of(forecasts, query, _summary, newest_first=True))


class ForecastSkillView(APIView):
    permission_classes = (READERS,)

    @extend_schema(
        operation_id="forecasts_skill",
        responses={
            (200, "application/json"): body_schema(ForecastSkillDetail),
            409: None,
        },
    )
    def get(self, request: Request, forecast_id: UUID) -> Response:
        """Tell how a forecast did; 409 with the time it will be known before that."""
        forecast = get_forecast(forecast_id, access=find_access(request))
        skill = get_forecast_skill(forecast)
        return Response(
            {
                **_skill(skill),
                "forecast": _summary(forecast),
                "figures": skill.figures,
            }
        )


def _summary(forecast: Forecast) -> dict[str, Any]:
    skill = getattr(forecast, "skill", None)
    return {
        "id": str(forecast.pk),
        "region": forecast.region.slug,
        "model_id": str(forecast.model_version_id),
        "model_version": str(forecast.model_version),
        "issued_for": forecast.issued_for,
        "valid_until": forecast.valid_until,
        "horizon_sec": forecast.horizon_sec,
        "expected_count": forecast.expected_count,
        "cell_count": forecast.cell_count,
        "is_shadow": forecast.is_shadow,
        "created_at": forecast.created_at,
        "skill": None if skill is None else _skill(skill),
    }


def _skill(skill: ForecastSkill) -> dict[str, Any]:
    return {
        "scored_at": skill.scored_at,
        "observed_count": skill.observed_count,
        "log_score": skill.log_score,
        "brier_score": skill.brier_score,
        "gain": skill.gain,
        "n_test_low": skill.n_test_low,
        "n_test_high": skill.n_test_high,
    }
