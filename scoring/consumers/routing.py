"""The addresses of sockets."""

from django.urls import path, re_path

from scoring.consumers.sockets import (
    AlertsConsumer,
    JobConsumer,
    NoSuchSocket,
    PortfolioConsumer,
    RiskMapConsumer,
)

websocket_urlpatterns = [
    path("ws/v1/alerts/", AlertsConsumer.as_asgi()),
    path("ws/v1/risk-map/<slug:region>/", RiskMapConsumer.as_asgi()),
    path("ws/v1/portfolios/<uuid:portfolio_id>/", PortfolioConsumer.as_asgi()),
    path("ws/v1/jobs/<uuid:job_id>/", JobConsumer.as_asgi()),
    re_path(r"", NoSuchSocket.as_asgi()),
]
