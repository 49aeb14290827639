"""Addresses of the domain API and of the dashboard."""

from django.urls import path

from scoring.api import (
    alert_rules,
    alerts,
    assessments,
    asset_import,
    assets,
    features,
    forecasts,
    jobs,
    metrics_report,
    model_switches,
    model_versions,
    portfolio_dashboard,
    portfolios,
    regions,
    risk_map,
    score_snapshot,
    tiles,
    vulnerabilities,
    webhooks,
)
from scoring.pages import dashboard

api_urlpatterns = [
    *regions.router.urlpatterns,
    *risk_map.router.urlpatterns,
    *tiles.router.urlpatterns,
    *features.router.urlpatterns,
    *score_snapshot.router.urlpatterns,
    *portfolios.router.urlpatterns,
    *assets.router.urlpatterns,
    *asset_import.router.urlpatterns,
    *vulnerabilities.router.urlpatterns,
    *assessments.router.urlpatterns,
    *jobs.router.urlpatterns,
    *model_versions.router.urlpatterns,
    *model_switches.router.urlpatterns,
    *forecasts.router.urlpatterns,
    *alert_rules.router.urlpatterns,
    *alerts.router.urlpatterns,
    *webhooks.router.urlpatterns,
    *portfolio_dashboard.router.urlpatterns,
    *metrics_report.router.urlpatterns,
]
urlpatterns = [path("", dashboard, name="dashboard")]
