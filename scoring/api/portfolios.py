"""Portfolios, and vulnerabilities, of which a curve is never changed."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router, WithHeaders
from riskplatform.api.inputs import given_in
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import Limit, Page, PageQuery, page_of
from riskplatform.api.preconditions import Precondition
from riskplatform.kernel.instants import AwareTime
from scoring.api.schemas import PLAIN, Money, Name, to_cents
from scoring.models import Portfolio, Vulnerability
from scoring.selectors.portfolios import (
    get_portfolio,
    get_vulnerability,
    list_portfolios,
    list_vulnerabilities,
)
from scoring.services.portfolios.portfolios import (
    create_portfolio,
    create_vulnerability,
    delete_portfolio,
    delete_vulnerability,
    portfolio_tag,
    update_portfolio,
)

READERS = has_scope(Scope.PORTFOLIOS_READ)
WRITERS = has_scope(Scope.PORTFOLIOS_WRITE)
PORTFOLIO = "portfolios/<uuid:portfolio_id>"

CurrencyCode = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{3}$(?!\n)",
        description="ISO 4217 code; XXX where values are not money.",
    ),
]
router = Router()

CurveSlug = Annotated[
    str,
    Meta(
        pattern=r"^[-a-zA-Z0-9_]{1,50}$(?!\n)", description="Slug of a vulnerability."
    ),
]
CurvePoint = Annotated[
    list[float],
    Meta(
        min_length=2,
        max_length=2,
        description="Severity, ascending from point to point; damage ratio, 0 to 1.",
    ),
]


class PortfolioQuery(PageQuery, forbid_unknown_fields=True):
    name: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=200,
                pattern=PLAIN,
                description="Text that the name contains.",
            ),
        ]
        | None
    ) = None
    currency: CurrencyCode | None = None


class NewPortfolio(Struct, forbid_unknown_fields=True):
    name: Name
    currency: CurrencyCode


class PortfolioChange(Struct, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    currency: CurrencyCode | UnsetType = UNSET


class OutsideTotals(Struct):
    """Assets that lie in no cell of any region: stored, and never assessed."""

    count: int
    value: Money


class PortfolioDetail(Struct):
    id: UUID
    name: str
    currency: str
    revision: int
    asset_count: int
    total_value: Money
    outside: OutsideTotals
    created_at: AwareTime
    updated_at: AwareTime

    @classmethod
    def of(cls, portfolio: Portfolio) -> Self:
        return cls(
            id=portfolio.pk,
            name=portfolio.name,
            currency=portfolio.currency,
            revision=portfolio.revision,
            asset_count=portfolio.asset_count,
            total_value=to_cents(portfolio.total_value),
            outside=OutsideTotals(
                count=portfolio.outside_count,
                value=to_cents(portfolio.outside_value),
            ),
            created_at=portfolio.created_at,
            updated_at=portfolio.updated_at,
        )


@router.get("portfolios", READERS)
def portfolios_list(request: Request, query: PortfolioQuery) -> Page[PortfolioDetail]:
    """List the portfolios of the organisation."""
    portfolios = list_portfolios(
        get_principal(request).organisation,
        name_contains=query.name,
        currency=query.currency,
    )
    return page_of(portfolios, query, PortfolioDetail.of)


@router.post("portfolios", WRITERS, status=201)
def portfolios_create(request: Request, body: NewPortfolio) -> Once[PortfolioDetail]:
    """Make a portfolio; assets are added to it afterwards."""
    organisation = get_principal(request).organisation
    return Once(
        lambda: PortfolioDetail.of(create_portfolio(organisation, **given_in(body)))
    )


@router.get(PORTFOLIO, READERS)
def portfolios_read(
    request: Request, portfolio_id: UUID
) -> WithHeaders[PortfolioDetail]:
    """Give one portfolio with its totals."""
    return _tagged(portfolio_of(request, portfolio_id))


@router.patch(PORTFOLIO, WRITERS)
def portfolios_update(
    request: Request,
    portfolio_id: UUID,
    body: PortfolioChange,
    precondition: Precondition,
) -> WithHeaders[PortfolioDetail]:
    """Change what is given; the currency only while there is no asset."""
    portfolio = portfolio_of(request, portfolio_id)
    changed = update_portfolio(portfolio, precondition=precondition, **given_in(body))
    return _tagged(changed)


@router.delete(PORTFOLIO, WRITERS)
def portfolios_delete(
    request: Request, portfolio_id: UUID, precondition: Precondition
) -> None:
    """Delete it with all its assets and assessments."""
    delete_portfolio(portfolio_of(request, portfolio_id), precondition=precondition)


def portfolio_of(request: Request, portfolio_id: UUID) -> Portfolio:
    return get_portfolio(get_principal(request).organisation, portfolio_id)


def _tagged(portfolio: Portfolio) -> WithHeaders[PortfolioDetail]:
    return WithHeaders(
        PortfolioDetail.of(portfolio), {"ETag": portfolio_tag(portfolio)}
    )


class VulnerabilityQuery(Struct, forbid_unknown_fields=True):
    after: (
        Annotated[
            int,
            Meta(ge=0, le=2**63 - 1, description="`next` of the page before."),
        ]
        | None
    ) = None
    limit: Limit = 100


class NewVulnerability(Struct, forbid_unknown_fields=True):
    slug: CurveSlug
    name: Name
    points: Annotated[
        list[CurvePoint],
        Meta(min_length=1, max_length=200, description="Linear in between."),
    ]


class VulnerabilityDetail(Struct):
    slug: str
    name: str
    is_shared: bool
    points: list[CurvePoint]

    @classmethod
    def of(cls, vulnerability: Vulnerability) -> Self:
        return cls(
            slug=vulnerability.slug,
            name=vulnerability.name,
            is_shared=vulnerability.organisation_id is None,
            points=vulnerability.points,
        )


@router.get("vulnerabilities", READERS)
def vulnerabilities_list(
    request: Request, query: VulnerabilityQuery
) -> Page[VulnerabilityDetail]:
    """List the organisation's own, and those that all share."""
    known = list_vulnerabilities(get_principal(request).organisation)
    return page_of(known, query, VulnerabilityDetail.of)


@router.post("vulnerabilities", WRITERS, status=201)
def vulnerabilities_create(
    request: Request, body: NewVulnerability
) -> Once[VulnerabilityDetail]:
    """Make a curve; it is never changed, because assessments depend on it."""
    organisation = get_principal(request).organisation
    return Once(
        lambda: VulnerabilityDetail.of(
            create_vulnerability(organisation, **given_in(body))
        )
    )


@router.get("vulnerabilities/<slug:slug>", READERS)
def vulnerabilities_read(request: Request, slug: str) -> VulnerabilityDetail:
    """Give one curve; an own one goes before a shared one of its slug."""
    organisation = get_principal(request).organisation
    return VulnerabilityDetail.of(get_vulnerability(organisation, slug))


@router.delete("vulnerabilities/<slug:slug>", WRITERS)
def vulnerabilities_delete(request: Request, slug: str) -> None:
    """Delete one of the organisation's own that no asset uses."""
    delete_vulnerability(get_principal(request).organisation, slug=slug)
