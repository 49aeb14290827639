"""Staff see how files are read, and how far their imports got."""

from django.contrib import admin

from analytics.models import ImportRun, ImportSource
from riskplatform.api.read_only_admin import ReadOnlyAdmin


@admin.register(ImportSource)
class ImportSourceAdmin(ReadOnlyAdmin[ImportSource]):
    list_display = ("name", "column_map", "file_format", "times_in", "updated_at")
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin[ImportRun]):
    list_display = (
        "file",
        "state",
        "source",
        "region",
        "rows_done",
        "accepted_count",
        "duplicate_count",
        "started_at",
        "updated_at",
        "finished_at",
    )
    list_filter = ("state", "region")
    search_fields = ("file", "=source")
    ordering = ("-started_at", "pk")
