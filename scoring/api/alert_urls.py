"""Addresses of alert rules, alerts, webhooks and what stands beside them."""

from django.urls import path

from scoring.api.alert_rules import (
    AlertRuleDetailView,
    AlertRuleListView,
    AlertRulePerformanceView,
)
from scoring.api.alerts import (
    AlertAcknowledgeView,
    AlertHistoryView,
    AlertListView,
    AlertSnoozeView,
    PortfolioAlertsView,
)
from scoring.api.metrics_report import MetricsReportView
from scoring.api.portfolio_dashboard import PortfolioDashboardView
from scoring.api.webhooks import (
    RedeliverView,
    WebhookDeliveriesView,
    WebhookDetailView,
    WebhookListView,
    WebhookRotateView,
    WebhookTestView,
)

alert_urlpatterns = [
    path("alert-rules", AlertRuleListView.as_view(), name="alert-rule-list"),
    path(
        "alert-rules/<uuid:rule_id>",
        AlertRuleDetailView.as_view(),
        name="alert-rule-detail",
    ),
    path(
        "alert-rules/<uuid:rule_id>/performance",
        AlertRulePerformanceView.as_view(),
        name="alert-rule-performance",
    ),
    path("alerts", AlertListView.as_view(), name="alert-list"),
    path(
        "alerts/<uuid:portfolio_id>",
        PortfolioAlertsView.as_view(),
        name="portfolio-alerts",
    ),
    path(
        "alerts/<uuid:alert_id>/history",
        AlertHistoryView.as_view(),
        name="alert-history",
    ),
    path(
        "alerts/<uuid:alert_id>/acknowledge",
        AlertAcknowledgeView.as_view(),
        name="alert-acknowledge",
    ),
    path(
        "alerts/<uuid:alert_id>/snooze",
        AlertSnoozeView.as_view(),
        name="alert-snooze",
    ),
    path("webhooks", WebhookListView.as_view(), name="webhook-list"),
    path(
        "webhooks/<uuid:webhook_id>",
        WebhookDetailView.as_view(),
        name="webhook-detail",
    ),
    path(
        "webhooks/<uuid:webhook_id>/rotate",
        WebhookRotateView.as_view(),
        name="webhook-rotate",
    ),
    path(
        "webhooks/<uuid:webhook_id>/test",
        WebhookTestView.as_view(),
        name="webhook-test",
    ),
    path(
        "webhooks/<uuid:webhook_id>/deliveries",
        WebhookDeliveriesView.as_view(),
        name="webhook-deliveries",
    ),
    path(
        "deliveries/<uuid:delivery_id>/redeliver",
        RedeliverView.as_view(),
        name="delivery-redeliver",
    ),
    path(
        "dashboard/<uuid:portfolio_id>",
        PortfolioDashboardView.as_view(),
        name="portfolio-dashboard",
    ),
    path("metrics", MetricsReportView.as_view(), name="metrics-report"),
]
