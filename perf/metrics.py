"""Metrics of the performance kit; names are part of the public interface."""

from prometheus_client import Counter, Gauge

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
