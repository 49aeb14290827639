"""Fitted model versions."""

from typing import Any

from django.contrib import admin

from riskplatform.api.read_only_admin import ReadOnlyAdmin
from scoring.models import ModelArtifact, ModelVersion


class ModelArtifactInline(admin.TabularInline[ModelArtifact, ModelVersion]):
    model = ModelArtifact
    fields = ("horizon_sec", "digest")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, *args: Any) -> bool:
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin[ModelVersion]):
    list_display = (
        "__str__",
        "region",
        "state",
        "event_count",
        "trained_from",
        "trained_until",
        "created_at",
    )
    list_filter = ("state", "region")
    list_select_related = ("region",)
    inlines = (ModelArtifactInline,)
