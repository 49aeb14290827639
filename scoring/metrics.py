"""What scoring counts; the names are part of the interface."""

from prometheus_client import Counter, Histogram

FORECASTS_PUBLISHED = Counter(
    "scoring_forecasts_published",
    "Forecasts that were stored, by the model family that made them.",
    ["kind"],
)
FIT_SECONDS = Histogram(
    "scoring_fit_seconds",
    "Time to fit and back-test one model version.",
    ["kind"],
    buckets=(1, 3, 10, 30, 60, 120, 300, 600, 1_800),
)
