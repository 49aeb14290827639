"""Addresses of the API of events."""

from django.urls import path

from analytics.api.events import EventsView
from analytics.api.reports import BacklogView, BatchFatesView, RejectionsView

api_urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
    path("events/backlog", BacklogView.as_view(), name="backlog"),
    path("events/rejections", RejectionsView.as_view(), name="rejections"),
    path(
        "events/batches/<uuid:batch_id>", BatchFatesView.as_view(), name="batch-fates"
    ),
]
