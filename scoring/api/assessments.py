"""Assessments: what forecasts would cost portfolios.

An assessment tells of forecasts and of portfolios, so it needs the scopes of both.
"""

from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from perf.cache.edge.policy import EdgePolicy, depends_on
from perf.cache.lifetimes import MODEL_PREDICTION_TTL_S
from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import (
    body_schema,
    decode_body,
    decode_query,
    invalid_input,
    query_parameters,
    refuse_repeats,
)
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import page_of
from scoring import change_names
from scoring.api.assessment_schemas import (
    AssessmentDetail,
    AssessmentList,
    AssessmentQuery,
    AssessmentRequest,
    BatchAnswer,
    BatchRequest,
)
from scoring.api.jobs import JobStatus, job_status
from scoring.api.portfolio_money import money_text
from scoring.models import Assessment
from scoring.selectors.assessments import get_assessment, list_assessments
from scoring.selectors.portfolios import get_portfolio
from scoring.services.assessments.assessing import AssessmentQuestion, assess_portfolio
from scoring.services.assessments.batches import (
    AT_ONCE,
    BatchResult,
    assess_batch,
    problem_of,
    queue_batch,
)

SCOPES = (has_scope(Scope.PORTFOLIOS_READ), has_scope(Scope.SCORES_READ))
QUANTILE_PLACES = 6


class AssessView(APIView):
    permission_classes = SCOPES
    edge = EdgePolicy(ttl_s=MODEL_PREDICTION_TTL_S, method="POST")

    @extend_schema(
        operation_id="assess",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(AssessmentRequest)},
        responses={(200, "application/json"): body_schema(AssessmentDetail)},
    )
    def post(self, request: Request, portfolio_id: UUID) -> HttpResponse:
        """Assess a portfolio; the same question gets the stored assessment."""
        question = _question(decode_body(request, AssessmentRequest))
        portfolio = get_portfolio(get_principal(request).organisation, portfolio_id)

        def assess() -> dict[str, Any]:
            assessment = assess_portfolio(portfolio, question)
            forecasts = change_names.forecasts_of(assessment.forecast.region.slug)
            # Without a name the region follows from those that are seen.
            names = (change_names.REGIONS, change_names.portfolio(portfolio.pk))
            depends_on(request, forecasts, *names)
            return assessment_body(assessment)

        return answer_creation(request, assess, status=200)


class AssessBatchView(APIView):
    permission_classes = SCOPES

    @extend_schema(
        operation_id="assess_batch",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(BatchRequest)},
        responses={
            (200, "application/json"): body_schema(BatchAnswer),
            (202, "application/json"): body_schema(JobStatus),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Assess up to 50 portfolios at once; more become a job, answered with 202."""
        asked = decode_body(request, BatchRequest)
        question = _question(asked)
        refuse_repeats(asked.portfolio_ids, "/portfolio_ids")
        organisation = get_principal(request).organisation
        if len(asked.portfolio_ids) > AT_ONCE:
            return answer_creation(
                request,
                lambda: job_status(
                    queue_batch(organisation, asked.portfolio_ids, question)
                ),
                status=202,
            )

        def assess() -> dict[str, Any]:
            results = assess_batch(organisation, asked.portfolio_ids, question)
            return {"results": [_item(result) for result in results]}

        return answer_creation(request, assess, status=200)


class AssessmentListView(APIView):
    permission_classes = SCOPES

    @extend_schema(
        operation_id="assessments_list",
        parameters=query_parameters(AssessmentQuery),
        responses={(200, "application/json"): body_schema(AssessmentList)},
    )
    def get(self, request: Request, portfolio_id: UUID) -> Response:
        """List the assessments of a portfolio, newest first."""
        query = decode_query(request, AssessmentQuery)
        portfolio = get_portfolio(get_principal(request).organisation, portfolio_id)
        found = list_assessments(portfolio)
        page = page_of(found, query, assessment_summary, newest_first=True)
        return Response(page)


class AssessmentDetailView(APIView):
    permission_classes = SCOPES

    @extend_schema(
        operation_id="assessments_read",
        responses={(200, "application/json"): body_schema(AssessmentDetail)},
    )
    def get(self, request: Request, assessment_id: UUID) -> Response:
        organisation = get_principal(request).organisation
        return Response(assessment_body(get_assessment(organisation, assessment_id)))


def assessment_body(assessment: Assessment) -> dict[str, Any]:
    # A database keeps the members in an order of its own.
    figures = orjson.dumps(assessment.figures, option=orjson.OPT_SORT_KEYS)
    return {**assessment_summary(assessment), **orjson.loads(figures)}


def assessment_summary(assessment: Assessment) -> dict[str, Any]:
    forecast = assessment.forecast
    return {
        "id": str(assessment.pk),
        "portfolio_id": str(assessment.portfolio_id),
        "portfolio_revision": assessment.portfolio_revision,
        "region": forecast.region.slug,
        "forecast_id": str(forecast.pk),
        "model_version": str(forecast.model_version),
        "time": forecast.issued_for,
        "horizon_sec": forecast.horizon_sec,
        "currency": assessment.portfolio.currency,
        "risk_score": assessment.risk_score,
        "expected_loss": money_text(assessment.expected_loss),
        "created_at": assessment.created_at,
    }


def _question(asked: AssessmentRequest) -> AssessmentQuestion:
    for index, quantile in enumerate(asked.quantiles):
        if round(quantile, QUANTILE_PLACES) != quantile:
            reason = f"A quantile has at most {QUANTILE_PLACES} decimal places."
            raise invalid_input(f"/quantiles/{index}", reason)
    refuse_repeats(asked.quantiles, "/quantiles")
    return AssessmentQuestion(
        horizon_sec=asked.horizon_sec,
        moment=asked.time,
        model_version=asked.model_version,
        quantiles=asked.quantiles,
        region=asked.region,
    )


def _item(result: BatchResult) -> dict[str, Any]:
    assessment, error = result.assessment, result.error
    return {
        "portfolio_id": str(result.portfolio_id),
        "assessment": None if assessment is None else assessment_body(assessment),
        "problem": None if error is None else problem_of(error),
    }
