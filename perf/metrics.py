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

CONNECTIONS = Gauge(
    "perf_connections",
    "Connections to a server: in use, idle, and threads that wait for one.",
    ["server", "state"],
    multiprocess_mode="livesum",
)
CONNECTION_WAIT_SECONDS = Histogram(
    "perf_connection_wait_seconds",
    "Time until a pool lent a connection.",
    ["server"],
    buckets=(0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CONNECTION_RECONNECTS = Counter(
    "perf_connection_reconnects_total",
    "Connections that were found dead and replaced.",
    ["server"],
)
CONNECTIONS_EXHAUSTED = Counter(
    "perf_connections_exhausted_total",
    "Times that nobody gave a connection back in time.",
    ["server"],
)
RETRIED_REQUESTS = Counter(
    "perf_retried_requests_total",
    "Reading requests carried out again after their connection broke, by outcome.",
    ["outcome"],
)


def show_connections(server: str, *, in_use: int, idle: int, waiting: int) -> None:
    """Set the gauges of what this process holds."""
    for state, count in (("in_use", in_use), ("idle", idle), ("waiting", waiting)):
        CONNECTIONS.labels(server, state).set(count)
