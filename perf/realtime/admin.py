"""Messages that wait for their stream."""

from django.contrib import admin

from perf.realtime.models import Announcement
from riskplatform.api.read_only_admin import ReadOnlyAdmin


@admin.register(Announcement)
class AnnouncementAdmin(ReadOnlyAdmin[Announcement]):
    list_display = ("group", "message_id", "created_at")
    search_fields = ("group", "=message_id")
    date_hierarchy = "created_at"
