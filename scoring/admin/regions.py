"""Regions and their cells."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet, URLField
from django.http import HttpRequest

from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin
from scoring.admin.columns import column
from scoring.cell_ids import hex_of
from scoring.models import Cell, Region
from scoring.services.regions import publish_region_changes
from scoring.services.registry.fitting import queue_fit


@admin.register(Region)
class RegionAdmin(admin.ModelAdmin[Region]):
    list_display = (
        *("slug", "name", "resolution", "timezone", column("cell_count", "cells")),
        *("owner", "is_public", "observed_since"),
    )
    list_filter = ("is_public", "owner")
    list_select_related = ("owner",)
    autocomplete_fields = ("owner",)
    search_fields = ("slug", "name")
    # The grid and the boundary come with the import; a form of megabytes helps nobody.
    exclude = ("boundary",)
    readonly_fields = ("slug", "resolution", "created_at")
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    show_full_result_count = False
    actions = ("fit_model",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Region | None = None
    ) -> bool:
        # Portfolios, forecasts and alerts depend on it.
        return False

    def save_model(
        self, request: HttpRequest, obj: Region, form: Any, change: Any
    ) -> None:
        super().save_model(request, obj, form, change)
        publish_region_changes(obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Region]:
        return Region.objects.with_cell_count().defer("boundary")

    @admin.action(
        description="Train a model version and publish its forecasts",
        permissions=["change"],
    )
    def fit_model(self, request: HttpRequest, queryset: QuerySet[Region]) -> None:
        regions = list(queryset)
        for region in regions:
            queue_fit(region)
        slugs = ", ".join(region.slug for region in regions)
        self.message_user(request, f"Queued for the worker: {slugs}.", messages.SUCCESS)


@admin.register(Cell)
class CellAdmin(ReadOnlyAdmin[Cell]):
    paginator = EstimatedCountPaginator
    list_display = (
        column("h3", "H3", shown=hex_of),
        *("region", "lat", "lon", "area_km2"),
    )
    list_filter = ("region",)
    list_select_related = ("region",)
    search_fields = ("=h3",)
