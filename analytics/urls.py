"""Addresses of the API of events."""

from django.urls import path

from analytics.api.event_list import EventExportView, EventsResource
from analytics.api.event_reports import ReportListView, ReportView
from analytics.api.reports import BacklogView, BatchFatesView, RejectionsView

api_urlpatterns = [
    path("events", EventsResource.as_view(), name="events"),
    path("events/export", EventExportView.as_view(), name="events-export"),
    path("events/backlog", BacklogView.as_view(), name="backlog"),
    path("events/rejections", RejectionsView.as_view(), name="rejections"),
    path(
        "events/batches/<uuid:batch_id>", BatchFatesView.as_view(), name="batch-fates"
    ),
    path("reports", ReportListView.as_view(), name="reports"),
    path("reports/<slug:name>", ReportView.as_view(), name="report"),
]
