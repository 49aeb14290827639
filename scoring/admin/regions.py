"""Regions and their cells."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet, URLField
from django.http import HttpRequest
from django.utils.text import get_valid_filename

from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin
from riskplatform.kernel.errors import ApplicationError
from scoring.admin.columns import column
from scoring.cell_ids import hex_of
from scoring.models import Cell, Region
from scoring.services.boundaries import Boundary, read_boundary, set_boundary
from scoring.services.imports.boundary_files import read_boundary_file
from scoring.services.regions import publish_region_changes
from scoring.services.registry.fitting import queue_fit


class RegionForm(forms.ModelForm[Region]):
    boundary_file = forms.FileField(
        required=False,
        help_text="Areas that the region is: GeoJSON, a zipped Shapefile, a GeoPackage"
        " or KML. It gets all cells that overlap them and keeps those that it has.",
    )

    def clean_boundary_file(self) -> Boundary | None:
        file = self.cleaned_data["boundary_file"]
        if file is None:
            return None
        with TemporaryDirectory() as folder:
            path = Path(folder, get_valid_filename(file.name))
            path.write_bytes(b"".join(file.chunks()))
            try:
                document = read_boundary_file(path)
                return read_boundary(document, resolution=self.instance.resolution)
            except ApplicationError as error:
                raise forms.ValidationError(error.message) from error


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
    form = RegionForm
    # A form of megabytes helps nobody, so the boundary comes as a file.
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
        boundary = form.cleaned_data["boundary_file"]
        if boundary is not None:
            set_boundary(obj, boundary)

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
