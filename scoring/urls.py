"""Addresses of the domain API and of the dashboard."""

from django.urls import path

from scoring.api.regions import (
    RegionBoundaryView,
    RegionCellsView,
    RegionDetailView,
    RegionListView,
)
from scoring.api.risk_map import RiskMapView
from scoring.api.score_snapshot import ScoreSnapshotView
from scoring.pages import dashboard

api_urlpatterns = [
    path("regions", RegionListView.as_view(), name="region-list"),
    path("regions/<slug:slug>", RegionDetailView.as_view(), name="region-detail"),
    path("regions/<slug:slug>/cells", RegionCellsView.as_view(), name="region-cells"),
    path(
        "regions/<slug:slug>/boundary",
        RegionBoundaryView.as_view(),
        name="region-boundary",
    ),
    path("risk-map", RiskMapView.as_view(), name="risk-map"),
    path("score-snapshot", ScoreSnapshotView.as_view(), name="score-snapshot"),
]
urlpatterns = [path("", dashboard, name="dashboard")]
