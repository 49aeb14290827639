"""Assess many portfolios: some at once, more as a job."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from perf.concurrency import Outcome, process_batch
from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from perf.jobs.runner import Progress
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import ApplicationError
from scoring.errors import PortfolioNotFoundError
from scoring.models import Assessment, Portfolio
from scoring.services.assessments.assessing import (
    AssessmentQuestion,
    prepare_assessment,
    store_assessment,
)

ASSESS: Final = "assess-portfolios"
AT_ONCE = 50
MOST = 5_000
# Arrays of one assessment may take 200 MB, and numpy keeps few more cores busy.
MAX_CONCURRENCY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """Of one portfolio: its assessment, or the error in its stead."""

    portfolio_id: UUID
    assessment: Assessment | None = None
    error: ApplicationError | None = None


def assess_batch(
    organisation: Organisation,
    portfolio_ids: Sequence[UUID],
    wanted: AssessmentQuestion,
) -> list[BatchResult]:
    """Assess portfolios concurrently, one result each, in the order given.

    Threads read and compute on connections of their own; what is new is written by
    the caller, in whose transaction it may be. What the time did not suffice for is
    an error of its portfolio.
    """
    found = Portfolio.objects.for_organisation(organisation).in_bulk(portfolio_ids)
    prepared = process_batch(
        portfolio_ids,
        partial(_prepared, found, wanted),
        max_concurrency=MAX_CONCURRENCY,
    )
    return list(map(_stored, portfolio_ids, prepared))


def queue_batch(
    organisation: Organisation,
    portfolio_ids: Sequence[UUID],
    wanted: AssessmentQuestion,
) -> Job:
    """Have a worker assess portfolios; the result of the job names assessments."""
    moment = wanted.moment
    return enqueue_job(
        ASSESS,
        parameters={
            "portfolio_ids": [str(portfolio_id) for portfolio_id in portfolio_ids],
            "horizon_sec": wanted.horizon_sec,
            "time": None if moment is None else moment.isoformat(),
            "model_version": wanted.model_version,
            "quantiles": list(wanted.quantiles),
            "region": wanted.region,
        },
        organisation=organisation,
        total=len(portfolio_ids),
    )


def run_batch(job: Job, progress: Progress) -> Iterator[BatchResult]:
    """Carry out a queued batch; begun again, it finds what it has stored."""
    if job.organisation is None:
        raise PortfolioNotFoundError("A batch needs the organisation it is for.")
    parameters = job.parameters
    portfolio_ids = [UUID(text) for text in parameters["portfolio_ids"]]
    wanted = AssessmentQuestion(
        horizon_sec=parameters["horizon_sec"],
        moment=parameters["time"] and datetime.fromisoformat(parameters["time"]),
        model_version=parameters["model_version"],
        quantiles=parameters["quantiles"],
        region=parameters["region"],
    )
    for start in range(0, len(portfolio_ids), AT_ONCE):
        progress(start)
        part = portfolio_ids[start : start + AT_ONCE]
        yield from assess_batch(job.organisation, part, wanted)
    progress(len(portfolio_ids))


def _prepared(
    found: dict[UUID, Portfolio], wanted: AssessmentQuestion, portfolio_id: UUID
) -> Assessment:
    if portfolio_id not in found:
        raise PortfolioNotFoundError(f"There is no portfolio {portfolio_id}.")
    return prepare_assessment(found[portfolio_id], wanted)


def _stored(portfolio_id: UUID, prepared: Outcome[Assessment]) -> BatchResult:
    if prepared.value is None:
        return BatchResult(portfolio_id=portfolio_id, error=prepared.error)
    try:
        assessment = store_assessment(prepared.value)
    except ApplicationError as error:
        return BatchResult(portfolio_id=portfolio_id, error=error)
    return BatchResult(portfolio_id=portfolio_id, assessment=assessment)
