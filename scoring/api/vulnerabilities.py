"""Vulnerabilities: list, make, read, delete. A curve is never changed."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import (
    body_schema,
    decode_body,
    decode_query,
    query_parameters,
)
from riskplatform.api.keys.principal import get_principal
from scoring.api.portfolio_schemas import (
    NewVulnerability,
    VulnerabilityDetail,
    VulnerabilityList,
    VulnerabilityQuery,
)
from scoring.api.portfolios import PortfolioView
from scoring.models import Vulnerability
from scoring.selectors.portfolios import get_vulnerability, list_vulnerabilities
from scoring.services.portfolios.vulnerabilities import (
    CurveDefinition,
    create_vulnerability,
    delete_vulnerability,
)


class VulnerabilityListView(PortfolioView):
    @extend_schema(
        operation_id="vulnerabilities_list",
        parameters=query_parameters(VulnerabilityQuery),
        responses={(200, "application/json"): body_schema(VulnerabilityList)},
    )
    def get(self, request: Request) -> Response:
        """List the organisation's own, and those that all share."""
        query = decode_query(request, VulnerabilityQuery)
        known = list_vulnerabilities(get_principal(request).organisation)
        if query.after is not None:
            known = known.filter(pk__gt=query.after)
        found = list(known[: query.limit + 1])
        page = found[: query.limit]
        following = str(page[-1].pk) if len(found) > query.limit else None
        return Response({"results": [_body(row) for row in page], "next": following})

    @extend_schema(
        operation_id="vulnerabilities_create",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(NewVulnerability)},
        responses={(201, "application/json"): body_schema(VulnerabilityDetail)},
    )
    def post(self, request: Request) -> HttpResponse:
        asked = decode_body(request, NewVulnerability)
        definition = CurveDefinition(
            slug=asked.slug, name=asked.name, points=asked.points
        )
        organisation = get_principal(request).organisation

        def create() -> dict[str, Any]:
            return _body(create_vulnerability(organisation, definition=definition))

        return answer_creation(request, create)


class VulnerabilityDetailView(PortfolioView):
    @extend_schema(
        operation_id="vulnerabilities_read",
        responses={(200, "application/json"): body_schema(VulnerabilityDetail)},
    )
    def get(self, request: Request, slug: str) -> Response:
        return Response(
            _body(get_vulnerability(get_principal(request).organisation, slug))
        )

    @extend_schema(operation_id="vulnerabilities_delete", responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Delete one of the organisation's own that no asset uses."""
        delete_vulnerability(get_principal(request).organisation, slug=slug)
        return Response(status=204)


def _body(vulnerability: Vulnerability) -> dict[str, Any]:
    return {
        "slug": vulnerability.slug,
        "name": vulnerability.name,
        "is_shared": vulnerability.organisation_id is None,
        "points": vulnerability.points,
    }
