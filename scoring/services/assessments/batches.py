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
    """Of one portfolio: its assessment, or the error that kept it from one."""

    portfolio_id: UUID
    assessment: Assessment | None = None
    error: ApplicationError | None = None


def assess_batch(
    organisation: Organisation,
    portfolio_ids: Sequence[UUID],
    question: AssessmentQuestion,
) -> list[BatchResult]:
    """Assess portfolios concurrently, one result each, in the order asked for.

    Threads read and compute on connections of their own; what is new is written by
    the caller, in whose transaction it may be. What the time did not suffice for is
    an error of its portfolio.
    """
    found = Portfolio.objects.for_organisation(organisation).in_bulk(portfolio_ids)
    prepared = process_batch(
        portfolio_ids,
        partial(_prepared, found, question),
        max_concurrency=MAX_CONCURRENCY,
    )
    return list(map(_stored, portfolio_ids, prepared))


def queue_batch(
    organisation: Organisation,
    portfolio_ids: Sequence[UUID],
    question: AssessmentQuestion,
) -> Job:
    """Have a worker assess portfolios; the result of the job names assessments."""
    moment = question.moment
    return enqueue_job(
        ASSESS,
        parameters={
            "portfolio_ids": [str(portfolio_id) for portfolio_id in portfolio_ids],
            "horizon_sec": question.horizon_sec,
            "time": None if moment is None else moment.isoformat(),
            "model_version": question.model_version,
            "quantiles": list(question.quantiles),
            "region": question.region,
        },
        organisation=organisation,
        total=len(portfolio_ids),
    )


def run_batch(job: Job, progress: Progress) -> Iterator[BatchResult]:
    """Carry out a queued batch; begun again, it finds what it has stored."""
    if job.organisation is None:
        raise PortfolioNotFoundError("A batch needs the organisation it is for.")
    asked = job.parameters
    portfolio_ids = [UUID(text) for text in asked["portfolio_ids"]]
    question = AssessmentQuestion(
        horizon_sec=asked["horizon_sec"],
        moment=asked["time"] and datetime.fromisoformat(asked["time"]),
        model_version=asked["model_version"],
        quantiles=asked["quantiles"],
        region=asked["region"],
    )
    for start in range(0, len(portfolio_ids), AT_ONCE):
        progress(start)
        part = portfolio_ids[start : start + AT_ONCE]
        yield from assess_batch(job.organisation, part, question)
    progress(len(portfolio_ids))


def _prepared(
    found: dict[UUID, Portfolio], question: AssessmentQuestion, portfolio_id: UUID
) -> Assessment:
    if portfolio_id not in found:
        raise PortfolioNotFoundError(f"There is no portfolio {portfolio_id}.")
    return prepare_assessment(found[portfolio_id], question)


def _stored(portfolio_id: UUID, prepared: Outcome[Assessment]) -> BatchResult:
    if prepared.value is None:
        return BatchResult(portfolio_id=portfolio_id, error=prepared.error)
    try:
        assessment = store_assessment(prepared.value)
    except ApplicationError as error:
        return BatchResult(portfolio_id=portfolio_id, error=error)
    return BatchResult(portfolio_id=portfolio_id, assessment=assessment)
