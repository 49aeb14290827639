"""Addresses of the model registry and of forecasts."""

from django.urls import path

from scoring.api.forecasts import ForecastListView, ForecastSkillView
from scoring.api.model_switches import (
    ModelPromoteView,
    ModelRollbackView,
    ReloadModelView,
)
from scoring.api.model_versions import (
    ModelChallengeView,
    ModelDetailView,
    ModelListView,
)

MODEL = "models/<uuid:version_id>"

registry_urlpatterns = [
    path("models", ModelListView.as_view(), name="model-list"),
    path(MODEL, ModelDetailView.as_view(), name="model-detail"),
    path(f"{MODEL}/challenge", ModelChallengeView.as_view(), name="model-challenge"),
    path(f"{MODEL}/promote", ModelPromoteView.as_view(), name="model-promote"),
    path(f"{MODEL}/rollback", ModelRollbackView.as_view(), name="model-rollback"),
    path("reload-model", ReloadModelView.as_view(), name="reload-model"),
    path("forecasts", ForecastListView.as_view(), name="forecast-list"),
    path(
        "forecasts/<uuid:forecast_id>/skill",
        ForecastSkillView.as_view(),
        name="forecast-skill",
    ),
]
