"""Metrics of the performance kit; names are part of the public interface."""

from prometheus_client import Counter, Gauge, Histogram

STORE_ERRORS = Counter(
    "perf_store_errors_total",
    "Commands that Redis did not carry out, by the kind of error.",
    ["error"],
)
STORE_CIRCUIT_OPEN = Gauge(
    "perf_store_circuit_open",
    "1 while this process leaves Redis alone because it did not answer.",
    multiprocess_mode="livemax",
)
THROTTLED = Counter(
    "perf_throttled_requests_total",
    "Requests over a rate limit, by the name of the limit.",
    ["limit"],
)
SHED = Counter(
    "perf_shed_requests_total",
    "Requests sent away because too many waited, by class of routes.",
    ["route_class"],
)
WAIT_SECONDS = Histogram(
    "perf_wait_seconds",
    "How long requests that found no free place waited for one, or in vain.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
)
WAITING_REQUESTS = Gauge(
    "perf_waiting_requests",
    "Requests that wait for a place.",
    multiprocess_mode="livesum",
)
HEDGES = Counter(
    "perf_hedged_reads_total",
    "Reads that a second replica was asked for as well, by who answered first.",
    ["first"],
)
