"""The queue of jobs, and periodic work."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from perf.jobs.models import Job, PeriodicRun
from perf.jobs.queue import cancel_job, retry_job
from riskplatform.api.estimated_count import EstimatedCountPaginator
from riskplatform.api.read_only_admin import ReadOnlyAdmin

LEASE_FIELDS = ("attempts", "due_at", "holder", "lease_until")


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin[Job]):
    paginator = EstimatedCountPaginator
    list_display = (
        "kind",
        "state",
        "organisation",
        "progress",
        "error",
        "created_at",
        "started_at",
        "finished_at",
        "attempts",
        "id",
    )
    list_filter = ("state", "kind")
    list_select_related = ("organisation",)
    search_fields = ("=id", "kind")
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("id", "kind", "organisation", "parameters")}),
        ("Outcome", {"fields": ("state", "progress", "error", "result", "traceback")}),
        ("Times", {"fields": ("created_at", "started_at", "finished_at")}),
        ("Queue", {"fields": (*LEASE_FIELDS, "is_cancel_asked")}),
    )
    actions = ("cancel", "retry")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        jobs = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == "perf_job_changelist":
            # Results may be large, and the list does not show them.
            jobs = jobs.defer("parameters", "result", "traceback")
        return jobs

    @admin.display(description="done")
    def progress(self, job: Job) -> str:
        return f"{job.done} of {job.total}" if job.total else str(job.done)

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self.change_each(request, queryset, cancel_job)

    @admin.action(description="Try again", permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self.change_each(request, queryset, retry_job)


@admin.register(PeriodicRun)
class PeriodicRunAdmin(ReadOnlyAdmin[PeriodicRun]):
    list_display = (
        "name",
        "due_at",
        "run_count",
        "started_at",
        "finished_at",
        "holder",
        "error",
    )
