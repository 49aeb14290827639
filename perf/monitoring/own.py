"""What the performance kit promises and shows: requests, caches, connections, jobs."""

from perf.monitoring.alerts import OWN_ALERTS
from perf.monitoring.charts import (
    Chart,
    Level,
    Quantiles,
    Rate,
    Share,
    register_charts,
)
from perf.monitoring.dashboards import OWN_DASHBOARDS
from perf.monitoring.described import register_alerts, register_dashboards
from perf.slo.indicators import Condition, Latency, Ratio, Series
from perf.slo.objectives import (
    METRICS,
    Objective,
    Owner,
    Runbook,
    register_objectives,
)

REQUESTS = "perf_requests_total"
FAILED = {"outcome": ("failed",)}
ERRORS_RUNBOOK = Runbook(
    "Requests end with a 5xx, or are refused because more work waits than can be done. "
    "The label `route` says which.",
    (
        "grep -A40 'riskplatform.errors' var/log/web.log",
        "curl -s http://127.0.0.1:8000/health/ready",
        f"{METRICS} | grep -E 'perf_(shed|requests)'",
    ),
    "Mend what the tracebacks name, or bring back the dependency that is not ready. "
    "Where `perf_shed_requests_total` grows, add processes (`WEB_WORKERS`) or lower "
    "`RATE_LIMITS` for the caller who sends most.",
)
HIT_RUNBOOK = Runbook(
    "Fewer responses than promised come from the cache, so most are computed.",
    (
        f"{METRICS} | grep perf_edge_",
        f"{METRICS} | grep perf_feed_",
        "manage.py warm_cache",
    ),
    "`perf_edge_not_cached_total` says why responses are not kept. Where "
    "`perf_feed_lapses_total` grows, Redis is not reached; where "
    "`perf_memory_cache_evictions_total` does, raise `EDGE_LOCAL_BYTES`.",
)
REALTIME_RUNBOOK = Runbook(
    "Sockets hear late of what was written. Nothing is lost: clients that come back "
    "are given what they missed, and a sweep sends what waits.",
    (
        f"{METRICS} | grep perf_realtime_",
        f"{METRICS} | grep perf_store_circuit_open",
        "tail -n 50 var/log/realtime.log",
    ),
    "Where `perf_realtime_unannounced_seconds` grows, Redis is away or no worker runs. "
    "Where `perf_realtime_history_failures_total` does, the realtime process does not "
    "reach Redis. Else it has too many sockets: start another one behind the proxy.",
)

register_objectives(
    Objective(
        name="request-errors",
        promise="99.9 % of the requests to each route are answered without an error",
        indicator=Ratio(
            bad=Series(REQUESTS, FAILED), total=Series(REQUESTS), by=("route",)
        ),
        target=0.999,
        owner=Owner.PLATFORM,
        runbook=ERRORS_RUNBOOK,
    ),
    Objective(
        name="health-errors",
        promise="99.99 % of the probes are answered without an error",
        indicator=Ratio(
            bad=Series(REQUESTS, {"route": ("health",), **FAILED}),
            total=Series(REQUESTS, {"route": ("health",)}),
        ),
        target=0.9999,
        owner=Owner.PLATFORM,
        runbook=ERRORS_RUNBOOK,
    ),
    Objective(
        name="availability",
        promise="99.9 % of all requests of a month are answered without an error",
        indicator=Ratio(bad=Series(REQUESTS, FAILED), total=Series(REQUESTS)),
        target=0.999,
        owner=Owner.PLATFORM,
        runbook=ERRORS_RUNBOOK,
    ),
    Objective(
        name="cache-hits",
        promise="60 % of the requests that a cache may answer are (the aim is 90 %)",
        indicator=Ratio(
            bad=Series("perf_edge_requests_total", {"outcome": ("miss", "bypass")}),
            total=Series("perf_edge_requests_total"),
        ),
        target=0.6,
        owner=Owner.PLATFORM,
        runbook=HIT_RUNBOOK,
        pages=False,
    ),
    Objective(
        name="realtime-delivery-p99",
        promise="99 % of the messages reach their sockets within 300 ms",
        indicator=Latency(histogram="perf_realtime_delivery_seconds", at_most_s=0.3),
        target=0.99,
        owner=Owner.PLATFORM,
        runbook=REALTIME_RUNBOOK,
        pages=False,
    ),
    Objective(
        name="realtime-announcements",
        promise=(
            "what was written is announced to sockets within 30 s, 99.9 % of the time"
        ),
        indicator=Condition(gauge="perf_realtime_unannounced_seconds", limit=30.0),
        target=0.999,
        owner=Owner.PLATFORM,
        runbook=REALTIME_RUNBOOK,
        pages=False,
    ),
)
register_alerts(*OWN_ALERTS)
register_dashboards(*OWN_DASHBOARDS)
register_charts(
    Chart("Requests", "/s", Rate(Series(REQUESTS), by="outcome")),
    Chart("Latency of requests", "s", Quantiles("perf_request_seconds")),
    Chart(
        "Responses from the cache",
        "share",
        Share(
            "hits",
            Series("perf_edge_requests_total", {"outcome": ("l1", "l2")}),
            Series("perf_edge_requests_total"),
        ),
    ),
    Chart(
        "Jobs that wait or run",
        "",
        Level(Series("perf_jobs_unfinished"), by="state"),
    ),
    Chart(
        "Memory of processes",
        "bytes",
        Level(Series("riskplatform_process_resident_bytes"), by="process"),
    ),
)
