"""What django-prometheus counts: requests that reach Django, and rows that are saved.

Of its metrics of requests only those are served that something shows. Its middleware
updates sixteen for each, which takes half as long as an endpoint does; so ours updates
two. `perf_requests_total` counts all requests, cached responses included.

Its mixin for models would be a base class of each. Rows that are saved one by one are
counted instead, as there. Deletions are not: where a signal of them has a receiver,
Django reads every row before it deletes it.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from django.db.models import Model
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_prometheus.middleware import Metrics
from django_prometheus.models import model_inserts, model_updates

SERVED: Final = frozenset(
    {
        "django_http_exceptions_total_by_view",
        "django_http_requests_latency_seconds_by_view_method",
        "django_http_responses_total_by_status_view_method",
    }
)
UNNAMED: Final = "<unnamed view>"
METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)


class ServedMetrics(Metrics):  # type: ignore[misc]  # untyped
    """The metrics of requests that are served; the others are None."""

    def register_metric(
        self, metric_cls: Any, name: str, *given: Any, **more: Any
    ) -> Any:
        if name not in SERVED:
            return None
        return super().register_metric(metric_cls, name, *given, **more)


class RequestMetrics:
    """Counts responses by view, and how long the view took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        metrics = ServedMetrics.get_instance()
        self._seconds = metrics.requests_latency_by_view_method
        self._responses = metrics.responses_by_status_view_method
        self._exceptions = metrics.exceptions_by_view

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started_s = time.perf_counter()
        response = self._get_response(request)
        taken_s = time.perf_counter() - started_s
        # Clients may make names up.
        method = request.method if request.method in METHODS else "<invalid method>"
        view = _view_name(request)
        self._responses.labels(response.status_code, view, method).inc()
        self._seconds.labels(view, method).observe(taken_s)
        return response

    def process_exception(self, request: HttpRequest, _error: Exception) -> None:
        self._exceptions.labels(_view_name(request)).inc()


def _view_name(request: HttpRequest) -> str:
    match = request.resolver_match
    return UNNAMED if match is None else match.view_name or UNNAMED


def count_saved_rows() -> None:
    post_save.connect(_count_save, dispatch_uid="perf.saved_rows")


def _count_save(
    sender: type[Model],
    *,
    created: bool,
    raw: bool,
    **_kwargs: Any,
) -> None:
    if not raw:
        metric = model_inserts if created else model_updates
        metric.labels(sender._meta.label_lower).inc()  # noqa: SLF001 - Django's name
