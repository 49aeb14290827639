"""What the realtime process counts; the names are part of the public interface."""

from prometheus_client import Counter, Gauge, Histogram

SOCKETS = Gauge(
    "perf_realtime_sockets",
    "Sockets and streams that are open.",
    ["route"],
    multiprocess_mode="livesum",
)
REFUSALS = Counter(
    "perf_realtime_refusals",
    "Sockets and streams that were not opened, by close code.",
    ["code"],
)
CLOSES = Counter(
    "perf_realtime_closes",
    "Sockets and streams that the server ended, by close code.",
    ["code"],
)
FRAMES = Counter(
    "perf_realtime_frames", "Messages that left for a socket or stream.", ["route"]
)
COALESCED = Counter(
    "perf_realtime_coalesced",
    "Messages left out because a newer state followed for a client that is slow.",
    ["route"],
)
REPLAYS = Counter(
    "perf_realtime_replays",
    "Clients that came back, by whether nothing was missing.",
    ["recovered"],
)
DELIVERY_SECONDS = Histogram(
    "perf_realtime_delivery_seconds",
    "From the commit of a message until it was handed to a socket.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.6, 1, 2.5, 5, 10, 30, 120),
)
HISTORY_FAILURES = Counter(
    "perf_realtime_history_failures", "Reads of the streams in Redis that failed."
)
ANNOUNCED = Counter("perf_realtime_announced", "Messages put into a stream in Redis.")
UNANNOUNCED = Gauge(
    "perf_realtime_unannounced_seconds",
    "Age of the oldest message that is committed and in no stream yet.",
    multiprocess_mode="mostrecent",
)
