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
CACHE_READS = Counter(
    "perf_cache_reads_total",
    "Questions to the caches of values, arrays and models, by how they ended.",
    ["cache", "outcome"],
)
CACHE_WRITTEN_BYTES = Counter(
    "perf_cache_written_bytes_total",
    "Bytes of values stored in Redis, as compressed.",
    ["cache"],
)
MEMORY_CACHE_BYTES = Gauge(
    "perf_memory_cache_bytes",
    "Bytes that a process holds in memory for others to ask again.",
    ["cache"],
    multiprocess_mode="livesum",
)
SHARED_ARRAY_BYTES = Gauge(
    "perf_shared_array_bytes",
    "Bytes of arrays on disk that processes share, as last counted.",
    ["cache"],
    multiprocess_mode="mostrecent",
)
SHARED_ARRAY_FILES = Gauge(
    "perf_shared_array_files",
    "Files of arrays on disk that processes share, as last counted.",
    ["cache"],
    multiprocess_mode="mostrecent",
)
SHARED_ARRAY_EVICTIONS = Counter(
    "perf_shared_array_evictions_total",
    "Files of arrays removed to make room, the longest unused first.",
    ["cache"],
)
VERSION_RENEWALS = Counter(
    "perf_cache_version_renewals_total",
    "Times that everything kept was given up, because Redis had been away.",
)
