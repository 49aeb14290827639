"""What is worth computing before a request: maps of regions, and portfolios."""

from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils import timezone

from analytics.errors import RegionNotFoundError
from perf.cache.edge.principals import NOBODY, EdgePrincipal
from perf.cache.edge.request_key import RequestParts
from perf.cache.edge.warming import (
    Subject,
    WarmRequest,
    common_request,
    subjects,
)
from riskplatform.api.keys.access import access_of, may_see_region
from riskplatform.api.keys.models import ApiKey, Scope
from riskplatform.api.keys.principal import principal_of_key
from riskplatform.kernel.errors import InvalidInputError
from scoring import change_names
from scoring.models import Portfolio, Region
from scoring.selectors.forecasts import horizons_of

MOST_PORTFOLIOS = 50


def about_regions(slug: str | None) -> Iterator[WarmRequest]:
    """Request the map of every horizon, as a principal with the widest audience."""
    regions = Region.objects.defer("boundary").order_by("slug")
    if slug is not None:
        regions = regions.filter(slug=slug)
        if not regions:
            known = ", ".join(Region.objects.values_list("slug", flat=True))
            raise RegionNotFoundError(
                f"There is no region {slug!r}. Known: {known or 'none'}.", region=slug
            )
    readers = principals_of(ApiKey.objects.all())
    for region in regions:
        for horizon_sec in horizons_of(region):
            query = f"region={region.slug}&horizon_sec={horizon_sec}"
            request = _request("risk-map", query=query)
            for principal in [NOBODY, *readers]:
                if may_see_region(principal.access, region):
                    yield request, principal
                    break


def about_portfolios(portfolio_id: str | None) -> Iterator[WarmRequest]:
    """Request the assessment and the dashboard, as each kind of key would."""
    portfolios = Portfolio.objects.order_by("-updated_at")
    if portfolio_id is not None:
        portfolios = portfolios.filter(pk=_id(portfolio_id))
    for portfolio in portfolios[:MOST_PORTFOLIOS]:
        mine = ApiKey.objects.filter(organisation=portfolio.organisation_id)
        for principal in principals_of(mine):
            if not principal.has_scope(Scope.PORTFOLIOS_READ):
                continue
            dashboard = f"dashboard/{portfolio.pk}"
            yield _request(dashboard, query="timeframe=24h"), principal
            if principal.has_scope(Scope.SCORES_READ):
                yield _request(f"assess/{portfolio.pk}", body=b"{}"), principal


def principals_of(keys: "QuerySet[ApiKey]") -> list[EdgePrincipal]:
    """Give every kind of principal there is among the usable keys."""
    now = timezone.now()
    known = keys.select_related("organisation").order_by("pk")
    usable = [principal_of_key(key) for key in known if key.is_usable_at(now)]
    kinds = {access_of(principal, AnonymousUser()) for principal in usable}
    return [
        EdgePrincipal(access=access)
        for access in sorted(kinds, key=lambda access: access.organisation)
    ]


def _request(path: str, *, query: str = "", body: bytes = b"") -> RequestParts:
    scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
    return common_request(f"/api/v1/{path}", query=query, body=body, scheme=scheme)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInputError(f"{text!r} is not the id of a portfolio.") from None


subjects["region"] = Subject(
    help="slug of a region: warm responses about it",
    name=change_names.forecasts_of,
    requests=about_regions,
)
subjects["portfolio"] = Subject(
    help="id of a portfolio: warm responses about it",
    name=lambda text: change_names.portfolio(_id(text)),
    requests=about_portfolios,
)
