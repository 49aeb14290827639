"""Reads of portfolios, their assets, and vulnerabilities."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from riskplatform.api.keys.models import Organisation
from scoring.errors import (
    AssetNotFoundError,
    PortfolioNotFoundError,
    VulnerabilityNotFoundError,
)
from scoring.models import Asset, AssetPlace, Portfolio, Region, Vulnerability


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
    try:
        return Portfolio.objects.for_organisation(organisation).get(pk=portfolio_id)
    except Portfolio.DoesNotExist:
        raise PortfolioNotFoundError(
            f"There is no portfolio {portfolio_id}.", portfolio_id=str(portfolio_id)
        ) from None


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
    return _with_parts(assets)


def get_asset(portfolio: Portfolio, asset_id: UUID) -> Asset:
    try:
        return _with_parts(Asset.objects.filter(portfolio=portfolio)).get(pk=asset_id)
    except Asset.DoesNotExist:
        raise AssetNotFoundError(
            f"The portfolio has no asset {asset_id}.", asset_id=str(asset_id)
        ) from None


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
    try:
        return find_vulnerabilities(organisation, [slug])[slug]
    except KeyError:
        raise VulnerabilityNotFoundError(
            f"There is no vulnerability {slug!r}.", vulnerability=slug
        ) from None


def _with_parts(assets: QuerySet[Asset]) -> QuerySet[Asset]:
    places = AssetPlace.objects.order_by("region__slug")
    return assets.select_related("vulnerability").prefetch_related(
        Prefetch(
            "places",
            places.select_related("region").only(
                *("asset_id", "h3"),
                *("region__slug", "region__is_public", "region__owner"),
            ),
        )
    )
