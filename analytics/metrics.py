"""Metrics of the event store; names are part of the public interface."""

from functools import partial

from prometheus_client import Counter, Gauge, Histogram

from perf.batched_metrics import BatchedHistogram

Latest = partial(Gauge, multiprocess_mode="mostrecent")

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
QUERY_RETRIES = Counter(
    "analytics_query_retries_total",
    "Named ClickHouse queries repeated after their connection broke.",
    ["query"],
)
EVENTS = Counter(
    "analytics_events_total",
    "Events offered to the store, by outcome.",
    ["outcome"],
)
INBOX_EVENTS = Counter(
    "analytics_inbox_events_total",
    "Rows posted to the inbox, by outcome.",
    ["outcome"],
)
INBOX_BACKLOG = Latest(
    "analytics_inbox_backlog_events",
    "Accepted events that are not in ClickHouse yet.",
)
INBOX_OLDEST = Latest(
    "analytics_inbox_oldest_seconds",
    "How long the oldest of the waiting events has waited.",
)
INBOX_PARKED = Latest(
    "analytics_inbox_parked_events",
    "Accepted events that ClickHouse will not take.",
)
SHIPPED_EVENTS = Counter(
    "analytics_shipped_events_total",
    "Accepted events brought to ClickHouse, by outcome.",
    ["outcome"],
)
VISIBLE_SECONDS = BatchedHistogram(
    "analytics_visible_seconds",
    "Time from when events were accepted until ClickHouse had them, by batch.",
    buckets=(0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 3_600),
)
PRUNED_EVENTS = Counter(
    "analytics_pruned_events_total",
    "Shipped events of which the inbox has only what identifies repetitions.",
)
SHIPPING_FAILURES = Counter(
    "analytics_shipping_failures_total",
    "Attempts to ship that failed and are made again.",
)
ROLLUP_SECONDS = Histogram(
    "analytics_rollup_refresh_seconds",
    "Time to recompute one year of the rollups.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
ROLLUP_STALE = Latest(
    "analytics_rollup_stale_partitions",
    "Years of which the rollups lag behind the events, as last seen.",
)
EXPORTED_EVENTS = Counter(
    "analytics_exported_events_total",
    "Events written into exports, by format.",
    ["format"],
)
LEDGER_ROWS = Counter(
    "analytics_ledger_rows_total",
    "Rows written to the ledger of forecasts, by table.",
    ["table"],
)
