"""Reads of assessments, and of the forecasts that portfolios are measured against."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import InvalidInputError
from scoring.errors import AssessmentNotFoundError
from scoring.models import Assessment, Forecast, ModelVersion, Portfolio, Region
from scoring.selectors.forecasts import get_latest_forecast

PARTS = ("portfolio", "forecast__region", "forecast__model_version")
LARGE = ("forecast__region__boundary", "forecast__model_version__skill")


def list_assessments(portfolio: Portfolio) -> QuerySet[Assessment]:
    """List the assessments of a portfolio without their figures."""
    seen = Assessment.objects.seen_by_organisation(portfolio.organisation_id)
    found = seen.filter(portfolio=portfolio)
    return found.select_related(*PARTS).defer("figures", *LARGE)


def get_assessment(organisation: Organisation, assessment_id: UUID) -> Assessment:
    """Find an assessment; another organisation's is as absent as one that is not."""
    found = Assessment.objects.for_organisation(organisation).filter(pk=assessment_id)
    assessment = found.select_related(*PARTS).defer(*LARGE).first()
    if assessment is None:
        raise AssessmentNotFoundError(f"There is no assessment {assessment_id}.")
    return assessment


def find_assessment(
    portfolio: Portfolio, forecast: Forecast, *, quantiles: str
) -> Assessment | None:
    """Find what the same revision, forecast and quantiles gave before."""
    return Assessment.objects.filter(
        portfolio=portfolio,
        portfolio_revision=portfolio.revision,
        forecast=forecast,
        quantiles=quantiles,
    ).first()


def get_forecast_to_assess(
    region: Region,
    *,
    horizon_sec: int,
    moment: datetime | None = None,
    model_version: str | None = None,
) -> Forecast:
    """Find the newest forecast of a region, of one model version if it is named."""
    if model_version is None:
        return get_latest_forecast(region, horizon_sec=horizon_sec, moment=moment)
    version = _get_model_version(region, model_version)
    return get_latest_forecast(
        region, horizon_sec=horizon_sec, moment=moment, model_version=version
    )


def _get_model_version(region: Region, name: str) -> ModelVersion:
    """Find a version by the name that answers have, kind-number."""
    kind, _, number = name.rpartition("-")
    versions = ModelVersion.objects.of_region(region).filter(kind=kind, number=number)
    version = versions.defer("skill").first()
    if version is None:
        reason = f"Region {region.slug!r} has no model version {name!r}."
        raise InvalidInputError(reason, field="model_version")
    return version
