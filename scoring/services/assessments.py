"""Assess portfolios: what the scenarios of a forecast would cost them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction

from perf.concurrency import Outcome, process_batch
from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from perf.jobs.runner import Progress
from riskplatform.api.keys.access import access_of_organisation
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.changes import publish_changes
from riskplatform.kernel.errors import ApplicationError, FieldFault
from scoring import change_names
from scoring.engine.errors import EngineError
from scoring.errors import NotAssessableError, PortfolioNotFoundError
from scoring.horizons import DAY_S
from scoring.metrics import ASSESSMENT_SECONDS, ASSESSMENTS_MADE
from scoring.models import Assessment, Forecast, Portfolio, Region
from scoring.models.portfolio import MONEY_DIGITS, MONEY_PLACES
from scoring.selectors.assessment_figures import measure, quantile_text
from scoring.selectors.assessment_inputs import (
    find_regions,
    load_damage_ratios,
    load_losses,
    load_region_exposure,
    load_scenarios,
)
from scoring.selectors.portfolios import find_assessment, get_forecast_to_assess
from scoring.selectors.regions import find_known_region

QUANTILES = (0.9, 0.95, 0.99)
BEYOND = 10.0 ** (MONEY_DIGITS - MONEY_PLACES)
ASSESS: Final = "assess-portfolios"
AT_ONCE = 50
MOST = 5_000
# Arrays of one assessment may take 200 MB, and numpy keeps few more cores busy.
MAX_CONCURRENCY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentTerms:
    """Against which forecast portfolios are assessed, and which quantiles to give.

    Without a region it is the one in which the portfolio lies, without a moment the
    newest forecast counts, without a model version that of the champion.
    """

    horizon_sec: int = DAY_S
    moment: datetime | None = None
    model_version: str | None = None
    quantiles: Sequence[float] = QUANTILES
    region: str | None = None


def assess_portfolio(portfolio: Portfolio, terms: AssessmentTerms) -> Assessment:
    """Assess a portfolio, or return the stored assessment of the same request."""
    return store_assessment(prepare_assessment(portfolio, terms))


def assess_against(
    portfolio: Portfolio, forecast: Forecast, *, quantiles: Sequence[float] = QUANTILES
) -> Assessment:
    """Assess a portfolio against one forecast, whose region is loaded."""
    return store_assessment(_prepare(portfolio, forecast, sorted(quantiles)))


def prepare_assessment(portfolio: Portfolio, terms: AssessmentTerms) -> Assessment:
    """Return the stored assessment, or a new one, not yet stored.

    Raises
    ------
    NotAssessableError
        Nothing lies in the region, or it is not clear which region is meant.
    ForecastNotFoundError
    RegionNotFoundError
    """
    region = _region_of(portfolio, terms.region)
    forecast = get_forecast_to_assess(
        region,
        horizon_sec=terms.horizon_sec,
        moment=terms.moment,
        model_version=terms.model_version,
    )
    return _prepare(portfolio, forecast, sorted(terms.quantiles))


def store_assessment(assessment: Assessment) -> Assessment:
    """Store an assessment; if it was made twice at once, the first stays."""
    return assessment if assessment.is_stored else _stored(assessment)


@transaction.atomic
def _stored(assessment: Assessment) -> Assessment:
    portfolios = Portfolio.objects.filter(pk=assessment.portfolio_id)
    # With its row locked the portfolio cannot be deleted meanwhile.
    if portfolios.select_for_update(no_key=True).first() is None:
        raise PortfolioNotFoundError(
            f"There is no portfolio {assessment.portfolio_id}."
        )
    portfolio, forecast = assessment.portfolio, assessment.forecast
    # Nor can another assessment of it be stored meanwhile: all lock the row first.
    stored = _find_stored(portfolio, forecast, assessment.quantiles)
    if stored is not None:
        return stored
    assessment.save(force_insert=True)
    ASSESSMENTS_MADE.inc()
    publish_changes(change_names.assessments_of(portfolio.pk))
    return assessment


def _prepare(
    portfolio: Portfolio, forecast: Forecast, quantiles: Sequence[float]
) -> Assessment:
    names = ",".join(quantile_text(quantile) for quantile in quantiles)
    stored = _find_stored(portfolio, forecast, names)
    if stored is not None:
        return stored
    try:
        with ASSESSMENT_SECONDS.time():
            return _computed(portfolio, forecast, quantiles, names)
    except EngineError as error:
        # Assets and curves are checked on their way in, but not by every hand.
        raise NotAssessableError(str(error)) from error


def _find_stored(
    portfolio: Portfolio, forecast: Forecast, quantiles: str
) -> Assessment | None:
    stored = find_assessment(portfolio, forecast, quantiles=quantiles)
    if stored is not None:
        stored.portfolio, stored.forecast = portfolio, forecast
    return stored


def _computed(
    portfolio: Portfolio, forecast: Forecast, quantiles: Sequence[float], names: str
) -> Assessment:
    scenarios = load_scenarios(forecast)
    exposure = load_region_exposure(portfolio, forecast.region, scenarios)
    table = exposure.table
    if table is None:
        raise NotAssessableError(
            f"No asset of the portfolio lies in region {forecast.region.slug!r}.",
            field="region",
        )
    if exposure.value.sum() + float(exposure.outside_value) >= BEYOND:
        raise NotAssessableError(
            f"The assets are worth {BEYOND:.0e} or more. Use a larger unit of money."
        )
    ratios = load_damage_ratios(forecast, exposure)
    losses = load_losses(portfolio, forecast, table, scenarios.events, ratios)
    figures = measure(exposure, table, scenarios, losses=losses, quantiles=quantiles)
    return Assessment(
        portfolio=portfolio,
        portfolio_revision=portfolio.revision,
        forecast=forecast,
        quantiles=names,
        risk_score=figures.risk_score,
        expected_loss=figures.expected_loss,
        figures=figures.details,
    )


def _region_of(portfolio: Portfolio, slug: str | None) -> Region:
    if slug is not None:
        access = access_of_organisation(portfolio.organisation_id)
        return find_known_region(slug, access=access)
    regions = find_regions(portfolio)
    if not regions:
        raise NotAssessableError(
            f"No asset of portfolio {portfolio.name!r} lies in a region.", regions=[]
        )
    if len(regions) > 1:
        slugs = [region.slug for region in regions]
        reason = f"The assets lie in {len(slugs)} regions. Name one of them."
        raise NotAssessableError(
            f"{reason} {', '.join(slugs)}.",
            regions=slugs,
            faults=[FieldFault("region", reason)],
        )
    return regions[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """Of one portfolio: its assessment, or the error in its stead."""

    portfolio_id: UUID
    assessment: Assessment | None = None
    error: ApplicationError | None = None


def assess_batch(
    organisation: Organisation,
    portfolio_ids: Sequence[UUID],
    terms: AssessmentTerms,
) -> list[BatchResult]:
    """Assess portfolios concurrently, one result each, in the order given.

    Threads read and compute on connections of their own; what is new is written by
    the caller, in whose transaction it may be. What the time did not suffice for is
    an error of its portfolio.
    """
    found = Portfolio.objects.for_organisation(organisation).in_bulk(portfolio_ids)
    prepared = process_batch(
        portfolio_ids,
        partial(_prepared, found, terms),
        max_concurrency=MAX_CONCURRENCY,
    )
    return list(map(_result, portfolio_ids, prepared))


def queue_batch(
    organisation: Organisation,
    portfolio_ids: Sequence[UUID],
    terms: AssessmentTerms,
) -> Job:
    """Have a worker assess portfolios; the result of the job names assessments."""
    moment = terms.moment
    return enqueue_job(
        ASSESS,
        parameters={
            "portfolio_ids": [str(portfolio_id) for portfolio_id in portfolio_ids],
            "horizon_sec": terms.horizon_sec,
            "time": None if moment is None else moment.isoformat(),
            "model_version": terms.model_version,
            "quantiles": list(terms.quantiles),
            "region": terms.region,
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
    terms = AssessmentTerms(
        horizon_sec=parameters["horizon_sec"],
        moment=parameters["time"] and datetime.fromisoformat(parameters["time"]),
        model_version=parameters["model_version"],
        quantiles=parameters["quantiles"],
        region=parameters["region"],
    )
    for start in range(0, len(portfolio_ids), AT_ONCE):
        progress(start)
        part = portfolio_ids[start : start + AT_ONCE]
        yield from assess_batch(job.organisation, part, terms)
    progress(len(portfolio_ids))


def _prepared(
    found: dict[UUID, Portfolio], terms: AssessmentTerms, portfolio_id: UUID
) -> Assessment:
    if portfolio_id not in found:
        raise PortfolioNotFoundError(f"There is no portfolio {portfolio_id}.")
    return prepare_assessment(found[portfolio_id], terms)


def _result(portfolio_id: UUID, prepared: Outcome[Assessment]) -> BatchResult:
    if prepared.value is None:
        return BatchResult(portfolio_id=portfolio_id, error=prepared.error)
    try:
        assessment = store_assessment(prepared.value)
    except ApplicationError as error:
        return BatchResult(portfolio_id=portfolio_id, error=error)
    return BatchResult(portfolio_id=portfolio_id, assessment=assessment)
