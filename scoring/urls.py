"""Addresses of the domain API and of the dashboard."""

from django.urls import path

from scoring.api import jobs, regions
from scoring.api.alert_urls import alert_urlpatterns
from scoring.api.assessments import (
    AssessBatchView,
    AssessmentDetailView,
    AssessmentListView,
    AssessView,
)
from scoring.api.asset_import import AssetImportView
from scoring.api.assets import AssetDetailView, AssetListView
from scoring.api.features import FeatureSnapshotView, WindowFeaturesView
from scoring.api.portfolios import PortfolioDetailView, PortfolioListView
from scoring.api.registry_urls import registry_urlpatterns
from scoring.api.risk_map import RiskMapView
from scoring.api.score_snapshot import ScoreSnapshotView
from scoring.api.tiles import RiskMapTileView
from scoring.api.vulnerabilities import (
    VulnerabilityDetailView,
    VulnerabilityListView,
)
from scoring.pages import dashboard

api_urlpatterns = [
    path("risk-map", RiskMapView.as_view(), name="risk-map"),
    path(
        "risk-map/tiles/<int:z>/<int:x>/<int:y>.mvt",
        RiskMapTileView.as_view(),
        name="risk-map-tile",
    ),
    path("features/snapshot", FeatureSnapshotView.as_view(), name="features-snapshot"),
    path(
        "features/build-window",
        WindowFeaturesView.as_view(),
        name="features-build-window",
    ),
    path("score-snapshot", ScoreSnapshotView.as_view(), name="score-snapshot"),
    path("portfolios", PortfolioListView.as_view(), name="portfolio-list"),
    path(
        "portfolios/<uuid:portfolio_id>",
        PortfolioDetailView.as_view(),
        name="portfolio-detail",
    ),
    path(
        "portfolios/<uuid:portfolio_id>/assets",
        AssetListView.as_view(),
        name="asset-list",
    ),
    path(
        "portfolios/<uuid:portfolio_id>/assets/import",
        AssetImportView.as_view(),
        name="asset-import",
    ),
    path(
        "portfolios/<uuid:portfolio_id>/assets/<uuid:asset_id>",
        AssetDetailView.as_view(),
        name="asset-detail",
    ),
    path(
        "portfolios/<uuid:portfolio_id>/assessments",
        AssessmentListView.as_view(),
        name="assessment-list",
    ),
    path(
        "assessments/<uuid:assessment_id>",
        AssessmentDetailView.as_view(),
        name="assessment-detail",
    ),
    path("assess/batch", AssessBatchView.as_view(), name="assess-batch"),
    path("assess/<uuid:portfolio_id>", AssessView.as_view(), name="assess"),
    path("vulnerabilities", VulnerabilityListView.as_view(), name="vulnerability-list"),
    path(
        "vulnerabilities/<slug:slug>",
        VulnerabilityDetailView.as_view(),
        name="vulnerability-detail",
    ),
    *jobs.router.urlpatterns,
    *regions.router.urlpatterns,
    *registry_urlpatterns,
    *alert_urlpatterns,
]
urlpatterns = [path("", dashboard, name="dashboard")]
