"""Reads of portfolios, their assets and assessments, and vulnerabilities."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import InvalidInputError
from scoring.errors import (
    AssessmentNotFoundError,
    AssetNotFoundError,
    PortfolioNotFoundError,
    VulnerabilityNotFoundError,
    require,
)
from scoring.models import (
    Assessment,
    Asset,
    AssetPlace,
    Forecast,
    ModelVersion,
    Portfolio,
    Region,
    Vulnerability,
)
from scoring.selectors.forecasts import get_latest_forecast

PARTS = ("portfolio", "forecast__region", "forecast__model_version")
LARGE = ("forecast__region__boundary", "forecast__model_version__skill")


def list_portfolios(
    organisation: Organisation,
    *,
    name_contains: str | None = None,
    currency: str | None = None,
) -> QuerySet[Portfolio]:
    portfolios = Portfolio.objects.for_organisation(organisation)
    if name_contains is not None:
        portfolios = portfolios.filter(name__icontains=name_contains)
    if currency is not None:
        portfolios = portfolios.filter(currency=currency)
    return portfolios


def get_portfolio(organisation: Organisation, portfolio_id: UUID) -> Portfolio:
    """Find a portfolio; another organisation's is as absent as one that is not."""
    mine = Portfolio.objects.for_organisation(organisation)
    found = require(mine.filter(pk=portfolio_id).first(), no_portfolio(portfolio_id))
    # It need not be read again.
    found.organisation = organisation
    return found


def no_portfolio(portfolio_id: UUID) -> PortfolioNotFoundError:
    return PortfolioNotFoundError(
        f"There is no portfolio {portfolio_id}.", portfolio_id=str(portfolio_id)
    )


def list_assets(
    portfolio: Portfolio,
    *,
    region: Region | None = None,
    reference: str | None = None,
    outside: bool | None = None,
) -> QuerySet[Asset]:
    """List assets with their places: two queries for any number of assets."""
    assets = Asset.objects.filter(portfolio=portfolio)
    if outside is not None:
        assets = assets.outside() if outside else assets.inside()
    if region is not None:
        assets = assets.filter(places__region=region)
    if reference is not None:
        assets = assets.filter(reference=reference)
    places = AssetPlace.objects.order_by("region__slug").select_related("region")
    shown = ("asset_id", "h3", "region__slug", "region__is_public", "region__owner")
    return assets.select_related("vulnerability").prefetch_related(
        Prefetch("places", places.only(*shown))
    )


def get_asset(portfolio: Portfolio, asset_id: UUID) -> Asset:
    return require(
        list_assets(portfolio).filter(pk=asset_id).first(),
        AssetNotFoundError(
            f"The portfolio has no asset {asset_id}.", asset_id=str(asset_id)
        ),
    )


def list_vulnerabilities(organisation: Organisation) -> QuerySet[Vulnerability]:
    return Vulnerability.objects.for_organisation(organisation).order_by("pk")


def find_vulnerabilities(
    organisation: Organisation, slugs: Iterable[str] | None = None
) -> dict[str, Vulnerability]:
    """Give vulnerabilities by slug; the organisation's own goes before a shared one."""
    known = list_vulnerabilities(organisation)
    if slugs is not None:
        known = known.filter(slug__in=list(slugs))
    by_slug: dict[str, Vulnerability] = {}
    for vulnerability in known:
        if vulnerability.organisation_id is not None or (
            vulnerability.slug not in by_slug
        ):
            by_slug[vulnerability.slug] = vulnerability
    return by_slug


def get_vulnerability(organisation: Organisation, slug: str) -> Vulnerability:
    return require(
        find_vulnerabilities(organisation, [slug]).get(slug),
        VulnerabilityNotFoundError(
            f"There is no vulnerability {slug!r}.", vulnerability=slug
        ),
    )


def list_assessments(portfolio: Portfolio) -> QuerySet[Assessment]:
    """List the assessments of a portfolio without their figures."""
    seen = Assessment.objects.seen_by_organisation(portfolio.organisation_id)
    found = seen.filter(portfolio=portfolio)
    return found.select_related(*PARTS).defer("figures", *LARGE)


def get_assessment(organisation: Organisation, assessment_id: UUID) -> Assessment:
    """Find an assessment; another organisation's is as absent as one that is not."""
    found = Assessment.objects.for_organisation(organisation).filter(pk=assessment_id)
    return require(
        found.select_related(*PARTS).defer(*LARGE).first(),
        AssessmentNotFoundError(f"There is no assessment {assessment_id}."),
    )


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
    version = None
    if model_version is not None:
        kind, _, number = model_version.rpartition("-")
        versions = ModelVersion.objects.of_region(region).defer("skill")
        version = versions.filter(kind=kind, number=number).first()
        if version is None:
            reason = f"Region {region.slug!r} has no model version {model_version!r}."
            raise InvalidInputError(reason, field="model_version")
    return get_latest_forecast(
        region, horizon_sec=horizon_sec, moment=moment, model_version=version
    )
