"""Addresses of the domain API and of the dashboard."""

from django.urls import path

from scoring.api import (
    alert_rules,
    alerts,
    assessments,
    asset_imports,
    assets,
    dashboards,
    features,
    forecasts,
    jobs,
    model_versions,
    portfolios,
    regions,
    risk_map,
    score_snapshot,
    tiles,
    webhooks,
    what_if,
    ws_ticket,
)
from scoring.pages.dashboard import dashboard
from scoring.pages.files import file, files

MODULES = (
    *(regions, risk_map, tiles, features, score_snapshot),
    *(portfolios, assets, asset_imports, what_if, assessments, jobs),
    *(model_versions, forecasts, alert_rules, alerts, webhooks, dashboards),
    ws_ticket,
)
api_urlpatterns = [each for module in MODULES for each in module.router.urlpatterns]
urlpatterns = [
    path("", dashboard, name="dashboard"),
    path("files/", files, name="files"),
    path("files/<uuid:upload_id>/", file, name="file"),
]
