"""What the queue of jobs counts; the names are part of the public interface."""

from prometheus_client import Counter, Gauge, Histogram

JOBS_STARTED = Counter(
    "perf_jobs_started", "Attempts at a job that a worker began.", ["kind"]
)
JOBS_FINISHED = Counter(
    "perf_jobs_finished",
    "Jobs that came to an end, by what became of them.",
    ["kind", "state"],
)
JOB_FAILURES = Counter(
    "perf_job_failures",
    "Attempts at a job that broke off and are made again.",
    ["kind"],
)
JOB_SECONDS = Histogram(
    "perf_job_seconds",
    "Time of one attempt at a job.",
    ["kind"],
    buckets=(0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600),
)
JOBS_UNFINISHED = Gauge(
    "perf_jobs_unfinished",
    "Jobs that wait or are worked on.",
    ["kind", "state"],
    multiprocess_mode="mostrecent",
)
