"""Staff see how files are read and what waits, and ship again what was not taken."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from analytics.inbox.backlog import measure_backlog
from analytics.models import (
    ImportRun,
    ImportSource,
    IngestBatch,
    ParkedEvent,
    Shipment,
)
from analytics.shipping.shipper import ship_parked
from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin


@admin.register(ImportSource)
class ImportSourceAdmin(ReadOnlyAdmin[ImportSource]):
    list_display = (
        *("name", "column_map", "file_format", "times_in", "options", "updated_at"),
    )
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin[ImportRun]):
    list_display = (
        *("file", "state", "source", "region", "rows_done", "accepted_count"),
        *("duplicate_count", "started_at", "updated_at", "finished_at"),
    )
    list_filter = ("state", "region")
    search_fields = ("file", "=source")
    ordering = ("-started_at", "pk")


@admin.register(IngestBatch)
class IngestBatchAdmin(ReadOnlyAdmin[IngestBatch]):
    paginator = EstimatedCountPaginator
    list_display = (
        *("post", "organisation", "received_at", "accepted_count"),
        *("duplicate_count", "refused_count", "shipment", "pruned_at"),
    )
    list_filter = ("organisation",)
    list_select_related = ("organisation", "shipment")
    search_fields = ("=post",)
    ordering = ("-received_at", "pk")


@admin.register(Shipment)
class ShipmentAdmin(ReadOnlyAdmin[Shipment]):
    paginator = EstimatedCountPaginator
    list_display = (
        *("id", "state", "row_count", "formed_at", "shipped_at", "attempts"),
        *("due_at", "last_error"),
    )
    list_filter = ("state",)
    ordering = ("-formed_at", "pk")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        backlog = measure_backlog()
        title = (
            f"{backlog.waiting_count:,} events wait, the oldest for"
            f" {backlog.oldest_s:,.0f} s; {backlog.parked_count:,} are parked"
        )
        context = {"title": title, **(extra_context or {})}
        return super().changelist_view(request, context)


@admin.register(ParkedEvent)
class ParkedEventAdmin(ReadOnlyAdmin[ParkedEvent]):
    paginator = EstimatedCountPaginator
    list_display = ("event", "organisation", "reason", "parked_at")
    list_select_related = ("event__source__organisation",)
    ordering = ("-parked_at", "pk")
    actions = ("ship_again",)

    @admin.display(ordering="event__source__organisation")
    def organisation(self, parked: ParkedEvent) -> str:
        owner = parked.event.source.organisation
        return "" if owner is None else owner.slug

    @admin.action(description="Ship the selected events again", permissions=["ship"])
    def ship_again(self, request: HttpRequest, chosen: QuerySet[ParkedEvent]) -> None:
        wanted = list(chosen)
        left = ship_parked(wanted)
        self.message_user(
            request,
            f"{len(wanted) - left} events shipped, {left} still parked.",
            level=messages.WARNING if left else messages.SUCCESS,
        )

    def has_ship_permission(self, request: HttpRequest) -> bool:
        # Nobody changes the row by hand, so the permission is checked here.
        return request.user.has_perm("analytics.change_parkedevent")
