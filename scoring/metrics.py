"""What scoring counts; the names are part of the interface."""

from enum import StrEnum

from prometheus_client import Counter, Gauge, Histogram

FORECASTS_PUBLISHED = Counter(
    "scoring_forecasts_published",
    "Forecasts that were stored, by the model family that made them.",
    ["kind"],
)
FORECASTS_REFUSED = Counter(
    "scoring_forecasts_refused",
    "Forecasts that contradicted the recent record and were not stored, by family.",
    ["kind"],
)


class Inference(StrEnum):
    """The computations of a model that responses need; caches save them."""

    SCENARIOS = "scenarios"  # a draw over the whole grid
    DISTRIBUTION = "distribution"  # of features that a request brought along
    LOSSES = "losses"  # of a portfolio in every scenario


INFERENCE_CALLS = Counter(
    "scoring_inference_calls",
    "Computations of models that were really carried out, by kind.",
    ["kind"],
)
FIT_SECONDS = Histogram(
    "scoring_fit_seconds",
    "Time to fit and back-test one model version.",
    ["kind"],
    buckets=(1, 3, 10, 30, 60, 120, 300, 600, 1_800),
)
ALERTS_OPENED = Counter("scoring_alerts_opened", "Alerts that rules opened.")
ALERTS_RESOLVED = Counter(
    "scoring_alerts_resolved", "Alerts whose area cooled or joined another."
)
ALERTS_HELD_BACK = Counter(
    "scoring_alerts_held_back", "Hot areas that the budget of their rule kept quiet."
)
ALERT_EVALUATION_FAILURES = Counter(
    "scoring_alert_evaluation_failures",
    "Rules that could not be evaluated on a forecast and are retried.",
)
WEBHOOK_DELIVERIES = Counter(
    "scoring_webhook_deliveries",
    "Attempts to deliver a message to a webhook, by outcome.",
    ["outcome"],
)
ALERT_DELIVERY_SECONDS = Histogram(
    "scoring_alert_delivery_seconds",
    "Time from when the message of an alert was written until a webhook had it.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600, 86_400),
)
WEBHOOK_SECONDS = Histogram(
    "scoring_webhook_seconds",
    "Time of one attempt to deliver a message to a webhook.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
ASSESSMENTS_MADE = Counter(
    "scoring_assessments_made", "Assessments that were computed and stored."
)
ASSESSMENT_SECONDS = Histogram(
    "scoring_assessment_seconds",
    "Time to compute an assessment, reading included.",
    buckets=(0.01, 0.03, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
FORECASTS_SCORED = Counter(
    "scoring_forecasts_scored",
    "Forecasts compared with what happened, by horizon in seconds.",
    ["horizon_sec"],
)
FORECAST_OVERDUE = Gauge(
    "scoring_forecast_overdue_seconds",
    "How long a region has owed its forecasts for the present; 0 where they are there.",
    ["region"],
    multiprocess_mode="mostrecent",
)
NUMBER_TEST_PASS_RATIO = Gauge(
    "scoring_number_test_pass_ratio",
    "Of the forecasts scored within 30 days, those whose count of events was likely.",
    ["region"],
    multiprocess_mode="mostrecent",
)
CALIBRATION_ERROR = Gauge(
    "scoring_calibration_error_ratio",
    "Expected calibration error of the forecasts scored within 30 days.",
    ["region"],
    multiprocess_mode="mostrecent",
)
MODEL_SWITCHES = Counter(
    "scoring_model_switches",
    "Changes of a region's champion, by reason.",
    ["reason"],
)
ASSETS_IMPORTED = Counter(
    "scoring_assets_imported",
    "Assets that came in by files, by what became of them.",
    ["outcome"],
)
UPLOADS_RECEIVED = Counter(
    "scoring_uploads_received",
    "Files that people uploaded by a browser, by what is in them.",
    ["kind"],
)
