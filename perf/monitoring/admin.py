"""The page of operators: what is promised, what happens, what is broken."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from perf.monitoring.models import MetricReading
from perf.monitoring.operations import (
    chart_data,
    failed_jobs,
    failing_work,
    is_fresh,
    list_readings,
    objective_states,
)
from riskplatform.api.health import PROBES, WITHIN_S, states_of
from riskplatform.api.read_only_admin import ReadOnlyAdmin


@admin.register(MetricReading)
class OperationsAdmin(ReadOnlyAdmin[MetricReading]):
    list_display_links = None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        readings = list_readings()
        context = {
            **self.admin_site.each_context(request),
            "title": "Operations",
            "is_fresh": is_fresh(readings),
            "last": readings[-1].at if readings else None,
            "objectives": objective_states(readings),
            "charts": chart_data(readings),
            "dependencies": states_of(PROBES, within_s=WITHIN_S),
            "jobs": failed_jobs(),
            "work": failing_work(),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/operations.html", context)
