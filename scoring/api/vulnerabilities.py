"""Vulnerabilities: list, make, read, delete. A curve is never changed."""

from typing import Annotated, Self

from msgspec import Meta, Struct
from rest_framework.request import Request

from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import Limit, Page, page_of
from scoring.api.portfolios import READERS, WRITERS
from scoring.api.schemas import Name
from scoring.models import Vulnerability
from scoring.selectors.portfolios import get_vulnerability, list_vulnerabilities
from scoring.services.portfolios.vulnerabilities import (
    CurveDefinition,
    create_vulnerability,
    delete_vulnerability,
)

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


class VulnerabilityQuery(Struct, forbid_unknown_fields=True):
    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
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
    definition = CurveDefinition(slug=body.slug, name=body.name, points=body.points)
    organisation = get_principal(request).organisation

    def create() -> VulnerabilityDetail:
        return VulnerabilityDetail.of(
            create_vulnerability(organisation, definition=definition)
        )

    return Once(create)


@router.get("vulnerabilities/<slug:slug>", READERS)
def vulnerabilities_read(request: Request, slug: str) -> VulnerabilityDetail:
    organisation = get_principal(request).organisation
    return VulnerabilityDetail.of(get_vulnerability(organisation, slug))


@router.delete("vulnerabilities/<slug:slug>", WRITERS)
def vulnerabilities_delete(request: Request, slug: str) -> None:
    """Delete one of the organisation's own that no asset uses."""
    delete_vulnerability(get_principal(request).organisation, slug=slug)
