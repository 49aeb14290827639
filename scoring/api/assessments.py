"""Assessments: what forecasts would cost portfolios.

An assessment shows forecasts and portfolios, so it needs the scopes of both.
"""

from typing import Annotated, Any, Final, Self
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, field
from rest_framework.request import Request

from perf.cache.edge.policy import EdgePolicy, depends_on
from perf.cache.lifetimes import MODEL_PREDICTION_TTL_S
from riskplatform.api.creating import Once
from riskplatform.api.endpoints import JSON, Router
from riskplatform.api.inputs import refuse_repeats
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.openapi import struct_schema
from riskplatform.api.paging import Page, PageQuery, page_of
from riskplatform.api.problems import problem_of
from riskplatform.kernel.errors import InvalidInputError
from riskplatform.kernel.instants import AwareTime
from scoring import change_names
from scoring.api.jobs import JobStatus
from scoring.api.portfolios import PORTFOLIO, portfolio_of
from scoring.api.schemas import HorizonSec, Money, Probability, Slug, to_cents
from scoring.horizons import DAY_S
from scoring.models import Assessment
from scoring.selectors.assessment_figures import (
    AssetContribution,
    CellContribution,
    CurvePoint,
    ExposureTotals,
    MoneyByQuantile,
    MonteCarloError,
)
from scoring.selectors.portfolios import get_assessment, list_assessments
from scoring.services import assessments
from scoring.services.assessments import (
    AT_ONCE,
    MOST,
    QUANTILES,
    AssessmentTerms,
    BatchResult,
    assess_portfolio,
    queue_batch,
)

router = Router()
SCOPES: Final = (has_scope(Scope.PORTFOLIOS_READ), has_scope(Scope.SCORES_READ))
QUANTILE_PLACES: Final = 6

Quantile = Annotated[
    float, Meta(gt=0, lt=1, description="With six decimal places at most.")
]
ModelVersionName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9_]{1,40}-[0-9]{1,9}$",
        description="As answers name it; the newest forecast's if not given.",
    ),
]


class AssessmentRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    horizon_sec: HorizonSec = DAY_S
    time: (
        Annotated[
            AwareTime, Meta(description="The newest forecast issued by then counts.")
        ]
        | None
    ) = None
    model_version: ModelVersionName | None = None
    quantiles: Annotated[list[Quantile], Meta(min_length=1, max_length=20)] = field(
        default_factory=lambda: list(QUANTILES)
    )
    region: (
        Annotated[
            Slug, Meta(description="Needed where assets lie in more than one region.")
        ]
        | None
    ) = None


class BatchRequest(AssessmentRequest, forbid_unknown_fields=True, kw_only=True):
    portfolio_ids: Annotated[list[UUID], Meta(min_length=1, max_length=MOST)]


class AssessmentSummary(Struct):
    id: UUID
    portfolio_id: UUID
    portfolio_revision: int
    region: str
    forecast_id: UUID
    model_version: str
    time: AwareTime
    horizon_sec: int
    currency: str
    risk_score: Probability
    expected_loss: Money
    created_at: AwareTime

    @classmethod
    def of(cls, assessment: Assessment) -> Self:
        forecast = assessment.forecast
        return cls(
            id=assessment.pk,
            portfolio_id=assessment.portfolio_id,
            portfolio_revision=assessment.portfolio_revision,
            region=forecast.region.slug,
            forecast_id=forecast.pk,
            model_version=str(forecast.model_version),
            time=forecast.issued_for,
            horizon_sec=forecast.horizon_sec,
            currency=assessment.portfolio.currency,
            risk_score=assessment.risk_score,
            expected_loss=to_cents(assessment.expected_loss),
            created_at=assessment.created_at,
        )


class AssessmentDetail(AssessmentSummary):
    loss_probability: Probability
    var: MoneyByQuantile
    tvar: MoneyByQuantile
    aep: list[CurvePoint]
    oep: list[CurvePoint]
    monte_carlo_error: MonteCarloError
    contribution_quantile: float
    top_cells: list[CellContribution]
    top_assets: list[AssetContribution]
    inside: ExposureTotals
    outside: ExposureTotals
    # None in those that are older than the figure.
    without_curve: (
        Annotated[
            int,
            Meta(description="Assets inside that any event in their cell destroys."),
        ]
        | None
    ) = None
    ignored_terms: (
        Annotated[
            dict[str, int],
            Meta(
                description="Assets of the portfolio by the column of a term of their"
                " file that no asset can have, so that losses are without it."
            ),
        ]
        | None
    ) = None

    @classmethod
    def of(cls, assessment: Assessment) -> Self:
        summary = msgspec.structs.asdict(AssessmentSummary.of(assessment))
        # A database keeps the members in an order of its own.
        figures = msgspec.to_builtins(assessment.figures, order="sorted")
        return msgspec.convert({**summary, **figures}, cls)


class BatchItem(Struct):
    """One of `assessment` and `problem` is null."""

    portfolio_id: UUID
    assessment: AssessmentDetail | None
    problem: dict[str, Any] | None

    @classmethod
    def of(cls, result: BatchResult) -> Self:
        made, error = result.assessment, result.error
        return cls(
            portfolio_id=result.portfolio_id,
            assessment=None if made is None else AssessmentDetail.of(made),
            problem=None if error is None else problem_of(error),
        )


class BatchAnswer(Struct):
    results: list[BatchItem]


@router.post(
    "assess/<uuid:portfolio_id>",
    *SCOPES,
    edge=EdgePolicy(ttl_s=MODEL_PREDICTION_TTL_S, method="POST"),
)
def assess(
    request: Request, portfolio_id: UUID, body: AssessmentRequest
) -> Once[AssessmentDetail]:
    """Assess a portfolio; the same request gets the stored assessment."""
    terms = terms_of(body)
    portfolio = portfolio_of(request, portfolio_id)

    def create() -> AssessmentDetail:
        assessment = assess_portfolio(portfolio, terms)
        forecasts = change_names.forecasts_of(assessment.forecast.region.slug)
        # Without a name the region follows from those that are seen.
        names = (change_names.REGIONS, change_names.portfolio(portfolio.pk))
        depends_on(request, forecasts, *names)
        return AssessmentDetail.of(assessment)

    return Once(create)


@router.post(
    "assess/batch",
    *SCOPES,
    answers={
        (200, JSON): struct_schema(BatchAnswer),
        (202, JSON): struct_schema(JobStatus),
    },
)
def assess_batch(
    request: Request, body: BatchRequest
) -> Once[BatchAnswer] | Once[JobStatus]:
    """Assess up to 50 portfolios at once; more become a job, answered with 202."""
    terms = terms_of(body)
    ids = body.portfolio_ids
    refuse_repeats(ids, "portfolio_ids")
    organisation = get_principal(request).organisation
    if len(ids) > AT_ONCE:
        return Once(
            lambda: JobStatus.of(queue_batch(organisation, ids, terms)), status=202
        )

    def assess() -> BatchAnswer:
        results = assessments.assess_batch(organisation, ids, terms)
        return BatchAnswer([BatchItem.of(result) for result in results])

    return Once(assess)


@router.get(f"{PORTFOLIO}/assessments", *SCOPES)
def assessments_list(
    request: Request, portfolio_id: UUID, query: PageQuery
) -> Page[AssessmentSummary]:
    """List the assessments of a portfolio, newest first."""
    found = list_assessments(portfolio_of(request, portfolio_id))
    return page_of(found, query, AssessmentSummary.of, newest_first=True)


@router.get("assessments/<uuid:assessment_id>", *SCOPES)
def assessments_read(request: Request, assessment_id: UUID) -> AssessmentDetail:
    """Give one assessment, as it was stored."""
    organisation = get_principal(request).organisation
    return AssessmentDetail.of(get_assessment(organisation, assessment_id))


def terms_of(body: AssessmentRequest) -> AssessmentTerms:
    for index, quantile in enumerate(body.quantiles):
        if round(quantile, QUANTILE_PLACES) != quantile:
            reason = f"A quantile has at most {QUANTILE_PLACES} decimal places."
            raise InvalidInputError(reason, field=("quantiles", index))
    refuse_repeats(body.quantiles, "quantiles")
    return AssessmentTerms(
        horizon_sec=body.horizon_sec,
        moment=body.time,
        model_version=body.model_version,
        quantiles=body.quantiles,
        region=body.region,
    )
