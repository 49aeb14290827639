"""Addresses of the API of events."""

from analytics.api import event_list, event_reports, ingest_status

api_urlpatterns = [
    *event_list.router.urlpatterns,
    *ingest_status.router.urlpatterns,
    *event_reports.router.urlpatterns,
]
