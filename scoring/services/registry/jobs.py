"""Puts the long work on model versions and forecasts into the queue."""

from typing import Final

from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from riskplatform.api.keys.models import Organisation
from scoring.models import Forecast, ModelVersion, Region
from scoring.services.forecasts.publishing import issue_instant
from scoring.services.registry.fitting import SERVED_KIND

FIT: Final = "fit-model"
RENEW: Final = "renew-forecasts"


def queue_fit(
    region: Region, *, kind: str = SERVED_KIND, organisation: Organisation | None = None
) -> Job:
    """Have a model version of a region fitted; one at a time for each family."""
    return enqueue_job(
        FIT,
        parameters={"region": region.slug, "kind": kind},
        organisation=organisation,
        is_single=True,
    )


def queue_due_renewals() -> int:
    """Have forecasts made for each region whose champion has none for the present."""
    champions = ModelVersion.objects.champions().select_related("region")
    count = 0
    for champion in champions.defer("region__boundary", "skill"):
        region = champion.region
        issued_for = issue_instant(region)
        if Forecast.objects.filter(
            model_version=champion, issued_for=issued_for
        ).exists():
            continue
        enqueue_job(
            RENEW,
            parameters={"region": region.slug},
            organisation=None,
            is_single=True,
        )
        count += 1
    return count
