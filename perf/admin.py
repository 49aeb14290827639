"""The edge cache as staff see it: what it holds, how often it helps, and a broom."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

import perf.jobs.admin  # noqa: F401 - registers its pages
from perf.cache.assembly import cache_bus
from perf.cache.demand import most_asked
from perf.cache.status import (
    hit_ratio,
    read_shared_status,
    read_statuses,
    sum_requests,
    sum_values,
)
from perf.models import EdgeCacheStatus
from perf.shared_store import StoreUnavailableError, store
from perf.switches import Switch, is_on
from riskplatform.api.read_only_admin import ReadOnlyAdmin

MOST_SHOWN = 20
CHANGELIST = "admin:perf_edgecachestatus_changelist"


@admin.register(EdgeCacheStatus)
class EdgeCacheStatusAdmin(ReadOnlyAdmin[EdgeCacheStatus]):
    """One page in place of a list: nothing is stored in the database."""

    def get_urls(self) -> list[URLPattern]:
        clear = self.admin_site.admin_view(require_POST(self.clear))
        own = [path("clear/", clear, name="perf_edgecachestatus_clear")]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Edge cache",
            "opts": self.opts,
            "is_on": is_on(Switch.EDGE),
            "may_clear": request.user.has_perm("perf.clear_edgecache"),
            **_figures(),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/perf/edge_cache.html", context)

    def clear(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("perf.clear_edgecache"):
            self.message_user(request, "You may not clear it.", messages.ERROR)
        else:
            self._clear(request)
        return HttpResponseRedirect(reverse(CHANGELIST))

    def _clear(self, request: HttpRequest) -> None:
        try:
            cache_bus().clear_everywhere()
        except StoreUnavailableError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.message_user(request, "All kept answers are forgotten.")


def _figures() -> dict[str, Any]:
    """Read what there is to show; without Redis that is only that it is away."""
    try:
        statuses = read_statuses(store)
        shared = read_shared_status(store)
        wanted = most_asked(store, limit=MOST_SHOWN)
    except StoreUnavailableError as error:
        return {"unavailable": error.message}
    sums = sum_requests(statuses)
    return {
        "routes": [
            {"name": name, **outcomes, "ratio": hit_ratio(outcomes)}
            for name, outcomes in sorted(sums.items())
        ],
        "values": sum_values(statuses).items(),
        "statuses": statuses,
        "shared": shared,
        "wanted": wanted,
    }
