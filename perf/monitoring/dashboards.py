"""Dashboards of the platform itself."""

from typing import Final

from perf.monitoring.described import Dashboard, Panel, Query
from perf.monitoring.queries import level, quantiles, rate

OVERVIEW: Final = Dashboard(
    name="overview",
    title="Overview",
    panels=(
        Panel(
            "Budget left",
            "percentunit",
            (
                Query(
                    "min by (slo) (slo:period_error_budget_remaining:ratio)", "{{slo}}"
                ),
            ),
            "Of 30 days, at the least of its routes; below 0 the promise is broken.",
        ),
        Panel(
            "Burn rate",
            "none",
            (Query("max by (slo) (slo:current_burn_rate:ratio)", "{{slo}}"),),
            "At 1 the budget lasts for exactly its window.",
        ),
        Panel("Requests", "reqps", (rate("perf_requests_total", "outcome"),)),
        Panel("Latency", "s", quantiles("perf_request_seconds")),
        Panel("Processes", "none", (level("riskplatform_processes", "process"),)),
        Panel(
            "Memory",
            "bytes",
            (level("riskplatform_process_resident_bytes", "process", "pid"),),
        ),
        Panel(
            "Open files",
            "none",
            (level("riskplatform_process_open_files", "process", "pid"),),
        ),
    ),
)
API: Final = Dashboard(
    name="api",
    title="API",
    panels=(
        Panel("Requests by route", "reqps", (rate("perf_requests_total", "route"),)),
        Panel(
            "Errors by route",
            "reqps",
            (rate("perf_requests_total", "route", matching='outcome="failed"'),),
        ),
        Panel(
            "Latency, cached",
            "s",
            quantiles("perf_request_seconds", "route", matching='served="cached"'),
        ),
        Panel(
            "Latency, computed",
            "s",
            quantiles("perf_request_seconds", "route", matching='served="computed"'),
        ),
        Panel(
            "Views of Django",
            "reqps",
            (
                rate(
                    "django_http_responses_total_by_status_view_method_total",
                    "view",
                    "status",
                ),
            ),
        ),
        Panel(
            "Time in views of Django, p95",
            "s",
            (
                quantiles(
                    "django_http_requests_latency_seconds_by_view_method", "view"
                )[1],
            ),
        ),
        Panel(
            "Exceptions",
            "cps",
            (rate("django_http_exceptions_total_by_view_total", "view"),),
        ),
    ),
)
CACHES: Final = Dashboard(
    name="caches",
    title="Caches",
    panels=(
        Panel(
            "Hit ratio of responses",
            "percentunit",
            (
                Query(
                    "sum by (route) (rate(perf_edge_requests_total"
                    '{outcome=~"l1|l2"}[5m])) / '
                    "sum by (route) (rate(perf_edge_requests_total[5m]))",
                    "{{route}}",
                ),
            ),
        ),
        Panel(
            "Responses by where from",
            "reqps",
            (rate("perf_edge_requests_total", "outcome"),),
        ),
        Panel(
            "Not cached, by reason",
            "cps",
            (rate("perf_edge_not_cached_total", "reason"),),
        ),
        Panel(
            "Reads of caches",
            "cps",
            (rate("perf_cache_reads_total", "cache", "outcome"),),
        ),
        Panel("In memory", "bytes", (level("perf_memory_cache_bytes", "cache"),)),
        Panel("On disk", "bytes", (level("perf_shared_array_bytes", "cache"),)),
        Panel(
            "Evictions",
            "cps",
            (
                rate("perf_memory_cache_evictions_total", "cache"),
                rate("perf_shared_array_evictions_total", "cache"),
            ),
        ),
        Panel("Age of changes on arrival", "s", quantiles("perf_feed_change_seconds")),
        Panel(
            "Change feed",
            "none",
            (
                level("perf_feed_live"),
                level("perf_feed_undelivered_changes"),
                rate("perf_feed_lapses_total"),
            ),
        ),
        Panel(
            "Computations spared",
            "cps",
            (rate("perf_cache_stampedes_prevented_total"),),
        ),
        Panel("Errors of Redis", "cps", (rate("perf_store_errors_total", "error"),)),
    ),
)
CONNECTIONS: Final = Dashboard(
    name="connections-and-limits",
    title="Connections and limits",
    panels=(
        Panel("Connections", "none", (level("perf_connections", "server", "state"),)),
        Panel(
            "Wait for a connection",
            "s",
            quantiles("perf_connection_wait_seconds", "server"),
        ),
        Panel(
            "Replaced and exhausted",
            "cps",
            (
                rate("perf_connection_reconnects_total", "server"),
                rate("perf_connections_exhausted_total", "server"),
            ),
        ),
        Panel("Waiting requests", "none", (level("perf_waiting_requests"),)),
        Panel("Wait for a thread", "s", quantiles("perf_wait_seconds")),
        Panel(
            "Refused",
            "reqps",
            (
                rate("perf_throttled_requests_total", "limit"),
                rate("perf_shed_requests_total", "route_class"),
                rate("perf_slow_bodies_total", "reason"),
            ),
        ),
        Panel(
            "Retried and hedged",
            "cps",
            (
                rate("perf_retried_requests_total", "outcome"),
                rate("perf_hedged_reads_total", "first"),
            ),
        ),
        Panel(
            "Queries of the default database, p95",
            "s",
            (quantiles("django_db_query_duration_seconds", "alias")[1],),
        ),
    ),
)
REALTIME: Final = Dashboard(
    name="realtime",
    title="Realtime",
    panels=(
        Panel(
            "Processes",
            "none",
            (level("riskplatform_processes", matching='process="realtime"'),),
        ),
        Panel(
            "Memory",
            "bytes",
            (
                level(
                    "riskplatform_process_resident_bytes",
                    "pid",
                    matching='process="realtime"',
                ),
            ),
        ),
        Panel(
            "Sockets and files",
            "none",
            (
                level(
                    "riskplatform_process_open_files",
                    "pid",
                    matching='process="realtime"',
                ),
            ),
        ),
        Panel("Open", "none", (level("perf_realtime_sockets", "route"),)),
        Panel(
            "Messages",
            "cps",
            (
                rate("perf_realtime_frames_total", "route"),
                rate("perf_realtime_coalesced_total", "route"),
            ),
        ),
        Panel(
            "From the change to the socket",
            "s",
            quantiles("perf_realtime_delivery_seconds"),
        ),
        Panel(
            "Not opened and ended, by close code",
            "cps",
            (
                rate("perf_realtime_refusals_total", "code"),
                rate("perf_realtime_closes_total", "code"),
            ),
        ),
        Panel(
            "Clients that came back",
            "cps",
            (rate("perf_realtime_replays_total", "recovered"),),
        ),
        Panel(
            "Announced, and what waits",
            "none",
            (
                rate("perf_realtime_announced_total"),
                rate("perf_realtime_history_failures_total"),
                level("perf_realtime_unannounced_seconds"),
            ),
        ),
    ),
)
OWN_DASHBOARDS: Final = (OVERVIEW, API, CACHES, CONNECTIONS, REALTIME)
