"""Files that people uploaded, which /files/ imports."""

from django.contrib import admin

from riskplatform.api.read_only_admin import ReadOnlyAdmin
from scoring.admin.columns import column
from scoring.models import Upload


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin[Upload]):
    list_display = (
        *("name", "kind", "size_bytes", "user", "organisation"),
        *(column("job.state", "job"), "created_at"),
    )
    list_filter = ("kind",)
    list_select_related = ("user", "organisation", "job")
    search_fields = ("name", "user__username")
    date_hierarchy = "created_at"
