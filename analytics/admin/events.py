"""Staff look at events, rollups and the ledger; nobody changes what happened."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from analytics.models import (
    Event,
    EventCellDay,
    EventDay,
    EventHour,
    ForecastCell,
    ForecastOutcome,
)
from riskplatform.api.read_only_admin import ReadOnlyAdmin, Row


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin[Event]):
    list_display = (
        *("occurred_at", "region", "event_type", "severity", "amount", "lat"),
        *("lon", "source", "external_id"),
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


class TableAdmin(ReadOnlyAdmin[Row]):
    """A list without pages of single rows: no column alone identifies a row."""

    list_display_links = None
    list_filter: ClassVar[Any] = ("region",)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Row]:
        # Columns that are not shown may hold what no Python value stands for.
        shown = [str(name) for name in self.list_display]
        rows: Any = super().get_queryset(request).exclude(region="").only(*shown)
        merged: QuerySet[Row] = rows.settings(final=1)
        return merged

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Row | None:
        return None


@admin.register(EventHour)
class EventHourAdmin(TableAdmin[EventHour]):
    list_display = ("region", "hour", "event_type", "count")
    ordering = ("-hour", "region", "event_type")


@admin.register(EventDay)
class EventDayAdmin(TableAdmin[EventDay]):
    list_display = (
        *("region", "day", "event_type", "count"),
        *("severity_count", "severity_sum", "amount_sum"),
    )
    ordering = ("-day", "region", "event_type")


@admin.register(EventCellDay)
class EventCellDayAdmin(TableAdmin[EventCellDay]):
    list_display = ("region", "cell", "day", "event_type", "count")
    ordering = ("-day", "region", "cell", "event_type")


@admin.register(ForecastCell)
class ForecastCellAdmin(TableAdmin[ForecastCell]):
    list_display = (
        *("region", "issued_for", "horizon_s", "model_version", "forecast_id"),
        *("cell", "mean", "p_event", "q05", "q50", "q95"),
    )
    list_filter: ClassVar[Any] = ("region", "model_version")
    ordering = ("-issued_for", "forecast_id", "cell")


@admin.register(ForecastOutcome)
class ForecastOutcomeAdmin(TableAdmin[ForecastOutcome]):
    list_display = (
        *("region", "issued_for", "forecast_id", "cell", "count"),
        "observed_at",
    )
    ordering = ("-issued_for", "forecast_id", "cell")
