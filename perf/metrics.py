"""Metrics of the performance kit; names are part of the public interface."""

from enum import StrEnum

from prometheus_client import Counter, Gauge, Histogram

from perf.batched_metrics import BatchedHistogram


class CacheOutcome(StrEnum):
    """How a read of a cache ended."""

    HIT = "hit"
    MISS = "miss"  # computed here
    JOINED = "joined"  # computed once for several who wanted it at the same time
    GARBAGE = "garbage"  # not what was put there: as if it were missing
    UNAVAILABLE = "unavailable"  # the server or the disk does not answer
    NOT_KEPT = "not_kept"  # computed, but too large, or of a type that is not cached


class RequestOutcome(StrEnum):
    """How a request ended, as its status says."""

    ANSWERED = "answered"  # below 400
    REJECTED = "rejected"  # 4xx: the client's affair
    FAILED = "failed"  # 5xx, refused because of too much work included


class Served(StrEnum):
    """Where a response came from."""

    CACHED = "cached"
    COMPUTED = "computed"


REQUESTS = Counter(
    "perf_requests_total",
    "Requests to the web, by route or else class of routes, and by how they ended.",
    ["route", "outcome"],
)
# Objectives (perf/slo) can only be at one of these times.
REQUEST_SECONDS = BatchedHistogram(
    "perf_request_seconds",
    "Time from a request, read whole, to its response, waiting included.",
    ["route", "served"],
    buckets=(
        *(0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3),
        *(0.6, 1, 2.5, 5, 10, 30, 120),
    ),
)
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
CACHE_READS = Counter(
    "perf_cache_reads_total",
    "Reads of the caches of values, arrays and models, by how they ended.",
    ["cache", "outcome"],
)
CACHE_WRITTEN_BYTES = Counter(
    "perf_cache_written_bytes_total",
    "Bytes of values stored in Redis, as compressed.",
    ["cache"],
)
MEMORY_CACHE_BYTES = Gauge(
    "perf_memory_cache_bytes",
    "Bytes that processes keep in memory.",
    ["cache"],
    multiprocess_mode="livesum",
)
MEMORY_CACHE_ENTRIES = Gauge(
    "perf_memory_cache_entries",
    "Values that processes keep in memory.",
    ["cache"],
    multiprocess_mode="livesum",
)
MEMORY_CACHE_EVICTIONS = Counter(
    "perf_memory_cache_evictions_total",
    "Values that left memory because there was no room.",
    ["cache"],
)
SHARED_ARRAY_BYTES = Gauge(
    "perf_shared_array_bytes",
    "Bytes of arrays on disk that processes share, as last counted.",
    ["cache"],
    multiprocess_mode="mostrecent",
)
SHARED_ARRAY_FILES = Gauge(
    "perf_shared_array_files",
    "Groups of arrays on disk that processes share, as last counted.",
    ["cache"],
    multiprocess_mode="mostrecent",
)
SHARED_ARRAY_EVICTIONS = Counter(
    "perf_shared_array_evictions_total",
    "Groups of arrays removed to make room, the longest unused first.",
    ["cache"],
)
EPOCH_RENEWALS = Counter(
    "perf_cache_epoch_renewals_total",
    "Times that everything in Redis was given up, because Redis had been down.",
)
EDGE_REQUESTS = Counter(
    "perf_edge_requests_total",
    "Requests that a cached response may answer, by route and by where it came from.",
    ["route", "outcome"],
)
STAMPEDES_PREVENTED = Counter(
    "perf_cache_stampedes_prevented_total",
    "Computations spared by waiting for that of another thread or process.",
)
EDGE_NOT_CACHED = Counter(
    "perf_edge_not_cached_total",
    "Responses that were not cached, by reason.",
    ["reason"],
)
FEED_LIVE = Gauge(
    "perf_feed_live",
    "Processes that receive changes and use their copies.",
    # Not the least of all: most kinds of processes keep no copies, and say 0.
    multiprocess_mode="livesum",
)
FEED_LAPSES = Counter(
    "perf_feed_lapses_total",
    "Times that a process stopped using its copies, because it received nothing.",
)
UNDELIVERED_CHANGES = Gauge(
    "perf_feed_undelivered_changes",
    "Changes made by this process that Redis has not taken yet.",
    multiprocess_mode="livesum",
)
CHANGE_SECONDS = Histogram(
    "perf_feed_change_seconds",
    "How old a change is when another process receives it.",
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3),
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
    "Times that no connection was given back in time.",
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


THROTTLED = Counter(
    "perf_throttled_requests_total",
    "Requests over a rate limit, by the name of the limit.",
    ["limit"],
)
SLOW_BODIES = Counter(
    "perf_slow_bodies_total",
    "Requests ended because their body came slowly: too much so, or among too many.",
    ["reason"],
)
SHED = Counter(
    "perf_shed_requests_total",
    "Requests refused because they could not be answered in time, by class of routes.",
    ["route_class"],
)
WAIT_SECONDS = Histogram(
    "perf_wait_seconds",
    "How long requests waited for a thread of their group, or in vain.",
    buckets=(0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
WAITING_REQUESTS = Gauge(
    "perf_waiting_requests",
    "Requests that wait for a thread of their group.",
    multiprocess_mode="livesum",
)
HEDGES = Counter(
    "perf_hedged_reads_total",
    "Reads sent to a second replica as well, by which answered first.",
    ["first"],
)
