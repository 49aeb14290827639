"""Staff look at events here; nobody changes what happened."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from analytics.models import Event
from riskplatform.api.read_only_admin import ReadOnlyAdmin


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin[Event]):
    list_display = (
        "occurred_at",
        "region",
        "event_type",
        "severity",
        "amount",
        "lat",
        "lon",
        "source",
        "external_id",
    )
    list_filter = ("region", "event_type", "source")
    search_fields = ("=external_id",)
    search_help_text = "The exact id that the source gave the event."
    ordering = ("-occurred_at",)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        events: QuerySet[Event] = Event.objects.merged()
        return events

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Event | None:
        # Two regions may hold the same id; the page shows the later event.
        found: Event | None = (
            self.get_queryset(request)
            .filter(external_id=object_id)
            .order_by("-occurred_at")
            .first()
        )
        return found
