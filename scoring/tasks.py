"""What the worker does for scoring: runners of jobs, and periodic work."""

from itertools import count
from typing import Any

from django.conf import settings
from msgspec import to_builtins

from perf.jobs.models import Job
from perf.jobs.runner import Progress, job_runner
from riskplatform.api.keys.access import FULL_ACCESS
from riskplatform.api.problems import problem_of
from riskplatform.kernel.periodic import register_periodic
from scoring.selectors.regions import get_region
from scoring.services.alerts.evaluation import evaluate_due_rules
from scoring.services.alerts.states import (
    resolve_past_alerts,
    score_due_alerts,
    wake_alerts,
)
from scoring.services.assessments import ASSESS, run_batch
from scoring.services.forecasts.live_figures import show_live_figures
from scoring.services.forecasts.publishing import renew_forecasts
from scoring.services.forecasts.skill import (
    score_due_forecasts,
    write_missing_forecasts,
)
from scoring.services.imports.uploads import (
    IMPORT,
    PARTS,
    forget_uploads,
    run_upload,
)
from scoring.services.registry.fitting import FIT, RENEW, fit_model, queue_due_renewals
from scoring.services.registry.promotion import roll_back_failing_champions
from scoring.services.webhooks.registration import forget_sent_messages
from scoring.services.webhooks.sending import send_due_deliveries

register_periodic("write-ledger", 10, write_missing_forecasts)
register_periodic("score-forecasts", 60, score_due_forecasts)
register_periodic("show-live-figures", 60, show_live_figures)
register_periodic("watch-champions", 60, roll_back_failing_champions)
if settings.FORECAST_REFRESH_S:
    register_periodic(
        "renew-forecasts", settings.FORECAST_REFRESH_S, queue_due_renewals
    )
register_periodic("evaluate-alert-rules", 10, evaluate_due_rules)
register_periodic("wake-alerts", 30, wake_alerts)
register_periodic("resolve-past-alerts", 30, resolve_past_alerts)
register_periodic("score-alerts", 900, score_due_alerts)
register_periodic("send-webhooks", 5, send_due_deliveries)
register_periodic("forget-sent-messages", 3_600, forget_sent_messages)
register_periodic("forget-uploads", 3_600, forget_uploads)


@job_runner(FIT, time_limit_s=4 * 3_600)
def run_fit(job: Job, progress: Progress) -> dict[str, Any]:
    """Fit a model version and bring the region's forecasts up to date."""
    steps = count(1)
    fitted = fit_model(
        get_region(job.parameters["region"], access=FULL_ACCESS),
        kind=job.parameters["kind"],
        progress=lambda _: progress(next(steps)),
    )
    _alert_at_once()
    return {
        "model_version": str(fitted.model_version.pk),
        "forecasts": [str(forecast.pk) for forecast in fitted.forecasts],
        "notes": fitted.model_version.notes,
    }


@job_runner(RENEW)
def renew_region(job: Job, progress: Progress) -> dict[str, Any]:
    """Publish what the champion and its challengers say of the present."""
    forecasts = renew_forecasts(
        get_region(job.parameters["region"], access=FULL_ACCESS)
    )
    _alert_at_once()
    return {"forecasts": [str(forecast.pk) for forecast in forecasts]}


def _alert_at_once() -> None:
    """Evaluate alert rules on what was just published, without waiting a round."""
    evaluate_due_rules()
    send_due_deliveries()


@job_runner(IMPORT, time_limit_s=4 * 3_600)
def import_upload(job: Job, progress: Progress) -> dict[str, Any]:
    """Import an uploaded file, or rehearse it."""
    outcome = run_upload(
        job.parameters["upload"],
        dry_run=job.parameters["dry_run"],
        on_fraction=lambda fraction: progress(int(PARTS * fraction)),
    )
    progress(PARTS)
    built: dict[str, Any] = to_builtins(outcome)
    return built


@job_runner(ASSESS)
def assess_portfolios(job: Job, progress: Progress) -> dict[str, Any]:
    """Assess portfolios; a failed one is reported as the API would."""
    results = [
        {
            "portfolio_id": str(each.portfolio_id),
            "assessment_id": each.assessment and str(each.assessment.pk),
            "problem": each.error and problem_of(each.error),
        }
        for each in run_batch(job, progress)
    ]
    return {"results": results}
