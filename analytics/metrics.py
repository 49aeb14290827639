"""Metrics of the event store; names are part of the public interface."""

from prometheus_client import Counter, Histogram

QUERY_SECONDS = Histogram(
    "analytics_query_seconds",
    "Time of a named ClickHouse query, from sending to the last row.",
    ["query"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
QUERY_ERRORS = Counter(
    "analytics_query_errors_total",
    "Named ClickHouse queries that failed, by reason.",
    ["query", "reason"],
)
EVENTS = Counter(
    "analytics_events_total",
    "Events offered to the store, by outcome.",
    ["outcome"],
)
