"""What scoring promises and shows: the critical routes, forecasts, skill, alerts."""

from perf.monitoring.charts import Chart, Level, register_charts
from perf.monitoring.described import Dashboard, Panel, register_dashboards
from perf.monitoring.queries import level, quantiles, rate
from perf.slo.indicators import Condition, Latency, Ratio, Series
from perf.slo.objectives import (
    METRICS,
    Objective,
    Owner,
    Runbook,
    register_objectives,
)

FEATURES = ("features-snapshot", "features-build-window")
# Those that clients wait for; exports, imports and the admin are not.
CRITICAL = (
    *("assess", "dashboard", *FEATURES, "metrics-report"),
    *("risk-map", "risk-map-tile", "score-snapshot"),
)
# Of the routes above: which share within which time.
LATENCIES = ((0.5, 0.02), (0.95, 0.08), (0.99, 0.15))
LATENCY_RUNBOOK = Runbook(
    "Responses of a critical route take longer than promised; the label `route` says "
    "which. Cached and computed responses have objectives of their own.",
    (
        f"{METRICS} | grep -E 'perf_(waiting|wait_seconds|shed)'",
        f"{METRICS} | grep -E 'analytics_query_seconds_(sum|count)'",
        "curl -s http://127.0.0.1:8000/health/ready",
    ),
    "Requests that wait for a thread want more processes (`WEB_WORKERS`) or fewer "
    "requests (`RATE_LIMITS`); slow queries have an alert of their own; `manage.py "
    "warm_cache` fills caches that were cleared.",
)
SKILL_RUNBOOK = Runbook(
    "What happened differs from what was forecast by more than chance explains. "
    "The label `region` says where.",
    (
        f"{METRICS} | grep -E 'scoring_(number_test|calibration)'",
        "manage.py doctor",
        "manage.py fit_model --help",
    ),
    "Look at the region's dashboard of skill by week: a change of the feed (a source "
    "that stopped, a new one) shows there first. Fit a challenger, let it run beside "
    "the champion; a champion that fails twice in a row is rolled back by itself.",
)


def _latency(served: str, share: float, at_most_s: float) -> Objective:
    percent = f"{100 * share:g}"
    return Objective(
        name=f"{served}-latency-p{percent}",
        promise=(
            f"{percent} % of the {served} responses of each critical route take "
            f"at most {1_000 * at_most_s:g} ms"
        ),
        indicator=Latency(
            histogram="perf_request_seconds",
            at_most_s=at_most_s,
            labels={"route": CRITICAL, "served": (served,)},
            by=("route",),
        ),
        target=share,
        owner=Owner.PLATFORM,
        runbook=LATENCY_RUNBOOK,
        # What half of the requests may exceed wakes nobody.
        pages=share > 0.5,
    )


def _errors() -> Objective:
    routes = {"route": ("assess", *FEATURES)}
    failed = {**routes, "outcome": ("failed",)}
    return Objective(
        name="assess-and-features-errors",
        promise="99.95 % of the requests to assess and features have no error",
        indicator=Ratio(
            bad=Series("perf_requests_total", failed),
            total=Series("perf_requests_total", routes),
            by=("route",),
        ),
        target=0.9995,
        owner=Owner.FORECASTS,
        runbook=Runbook(
            "Assessments or features end with a 5xx or are refused. The label `route` "
            "says which.",
            (
                "grep -A40 'riskplatform.errors' var/log/web.log",
                "curl -s http://127.0.0.1:8000/health/ready",
                f"{METRICS} | grep scoring_assess",
            ),
            "Mend what the tracebacks name, or bring back the dependency that is not "
            "ready. Features need ClickHouse; assessments need a forecast only.",
        ),
    )


register_objectives(
    *(
        _latency(served, share, at_most_s)
        for served in ("cached", "computed")
        for share, at_most_s in LATENCIES
    ),
    _errors(),
    Objective(
        name="forecast-freshness",
        promise=(
            "each region has forecasts for the present hour 15 minutes after it began, "
            "99 % of the time"
        ),
        indicator=Condition(
            gauge="scoring_forecast_overdue_seconds", limit=900.0, by=("region",)
        ),
        target=0.99,
        owner=Owner.FORECASTS,
        runbook=Runbook(
            "A region owes its forecasts for the present. The older ones are served.",
            (
                f"{METRICS} | grep scoring_forecast_overdue_seconds",
                f"{METRICS} | grep -E 'scoring_forecasts_(published|refused)'",
                "tail -n 50 var/log/worker.log",
            ),
            "Refused forecasts contradict the record: see the reason in the log, then "
            "fit a new version. Where jobs wait, start more workers.",
        ),
    ),
    Objective(
        name="alert-delivery-p95",
        promise="95 % of the messages of alerts are delivered within 1 s",
        indicator=Latency(histogram="scoring_alert_delivery_seconds", at_most_s=1.0),
        target=0.95,
        owner=Owner.FORECASTS,
        pages=False,
        runbook=Runbook(
            "Webhooks get the messages of alerts late. They are retried for days.",
            (
                f"{METRICS} | grep scoring_webhook_",
                "tail -n 50 var/log/worker.log",
                "manage.py run_worker --once",
            ),
            "The admin's page of deliveries has the last error of each: usually one "
            "receiver is down or slow, which holds up its own messages only.",
        ),
    ),
    Objective(
        name="number-tests",
        promise=(
            "of the forecasts scored within 30 days in each region, 90 % forecast a "
            "likely number of events, 95 % of the time"
        ),
        indicator=Condition(
            gauge="scoring_number_test_pass_ratio",
            limit=0.9,
            by=("region",),
            is_floor=True,
        ),
        target=0.95,
        owner=Owner.FORECASTS,
        runbook=SKILL_RUNBOOK,
        pages=False,
    ),
    Objective(
        name="calibration",
        promise=(
            "the expected calibration error of the forecasts scored within 30 days in "
            "each region is at most 0.01, 95 % of the time"
        ),
        indicator=Condition(
            gauge="scoring_calibration_error_ratio", limit=0.01, by=("region",)
        ),
        target=0.95,
        owner=Owner.FORECASTS,
        runbook=SKILL_RUNBOOK,
        pages=False,
    ),
)
register_dashboards(
    Dashboard(
        name="forecasts-and-skill",
        title="Forecasts and skill",
        panels=(
            Panel(
                "Overdue", "s", (level("scoring_forecast_overdue_seconds", "region"),)
            ),
            Panel(
                "Likely numbers of events",
                "percentunit",
                (level("scoring_number_test_pass_ratio", "region"),),
                "Of the forecasts scored within 30 days; 95 % is what chance allows.",
            ),
            Panel(
                "Calibration error",
                "none",
                (level("scoring_calibration_error_ratio", "region"),),
            ),
            Panel(
                "Published and refused",
                "cps",
                (
                    rate("scoring_forecasts_published_total", "kind"),
                    rate("scoring_forecasts_refused_total", "kind"),
                ),
            ),
            Panel(
                "Scored",
                "cps",
                (rate("scoring_forecasts_scored_total", "horizon_sec"),),
            ),
            Panel("Time to fit", "s", quantiles("scoring_fit_seconds", "kind")),
            Panel("Inference", "cps", (rate("scoring_inference_calls_total", "kind"),)),
            Panel("Assessments", "cps", (rate("scoring_assessments_made_total"),)),
            Panel("Time of assessments", "s", quantiles("scoring_assessment_seconds")),
            Panel(
                "Changes of champion",
                "cps",
                (rate("scoring_model_switches_total", "reason"),),
            ),
        ),
    ),
    Dashboard(
        name="alerts-and-jobs",
        title="Alerts and jobs",
        panels=(
            Panel(
                "Alerts",
                "cps",
                (
                    rate("scoring_alerts_opened_total"),
                    rate("scoring_alerts_resolved_total"),
                    rate("scoring_alerts_held_back_total"),
                ),
            ),
            Panel(
                "Rules that could not be evaluated",
                "cps",
                (rate("scoring_alert_evaluation_failures_total"),),
            ),
            Panel(
                "Alert until delivery", "s", quantiles("scoring_alert_delivery_seconds")
            ),
            Panel(
                "Deliveries",
                "cps",
                (rate("scoring_webhook_deliveries_total", "outcome"),),
            ),
            Panel("Time of a delivery", "s", quantiles("scoring_webhook_seconds")),
            Panel(
                "Jobs at hand",
                "none",
                (level("perf_jobs_unfinished", "kind", "state"),),
            ),
            Panel(
                "Jobs finished",
                "cps",
                (rate("perf_jobs_finished_total", "kind", "state"),),
            ),
            Panel(
                "Attempts that failed",
                "cps",
                (rate("perf_job_failures_total", "kind"),),
            ),
            Panel("Time of jobs", "s", quantiles("perf_job_seconds", "kind")),
        ),
    ),
)
register_charts(
    Chart(
        "Forecasts that are overdue",
        "s",
        Level(Series("scoring_forecast_overdue_seconds"), by="region"),
    ),
)
