"""Portfolios: list, make, read, change, delete."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from msgspec import UNSET
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import (
    body_schema,
    decode_body,
    decode_query,
    query_parameters,
)
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import page_of
from riskplatform.api.preconditions import IF_MATCH, Precondition
from scoring.api.portfolio_money import money_text
from scoring.api.portfolio_schemas import (
    NewPortfolio,
    PortfolioChange,
    PortfolioDetail,
    PortfolioList,
    PortfolioQuery,
)
from scoring.models import Portfolio
from scoring.selectors.portfolios import get_portfolio, list_portfolios
from scoring.services.portfolios.portfolios import (
    create_portfolio,
    delete_portfolio,
    portfolio_tag,
    update_portfolio,
)

CanRead = has_scope(Scope.PORTFOLIOS_READ)
CanWrite = has_scope(Scope.PORTFOLIOS_WRITE)


class PortfolioView(APIView):
    """Base: reading asks for one scope, everything else for the other."""

    def get_permissions(self) -> list[BasePermission]:
        reads = self.request.method in {"GET", "HEAD", "OPTIONS"}
        return [CanRead() if reads else CanWrite()]


class PortfolioListView(PortfolioView):
    @extend_schema(
        operation_id="portfolios_list",
        parameters=query_parameters(PortfolioQuery),
        responses={(200, "application/json"): body_schema(PortfolioList)},
    )
    def get(self, request: Request) -> Response:
        query = decode_query(request, PortfolioQuery)
        portfolios = list_portfolios(
            get_principal(request).organisation,
            name_contains=query.name,
            currency=query.currency,
        )
        return Response(page_of(portfolios, query, portfolio_body))

    @extend_schema(
        operation_id="portfolios_create",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(NewPortfolio)},
        responses={(201, "application/json"): body_schema(PortfolioDetail)},
    )
    def post(self, request: Request) -> HttpResponse:
        asked = decode_body(request, NewPortfolio)
        organisation = get_principal(request).organisation

        def create() -> dict[str, Any]:
            return portfolio_body(
                create_portfolio(organisation, name=asked.name, currency=asked.currency)
            )

        return answer_creation(request, create)


class PortfolioDetailView(PortfolioView):
    @extend_schema(
        operation_id="portfolios_read",
        responses={(200, "application/json"): body_schema(PortfolioDetail)},
    )
    def get(self, request: Request, portfolio_id: UUID) -> Response:
        return tagged(portfolio_of(request, portfolio_id))

    @extend_schema(
        operation_id="portfolios_update",
        parameters=[IF_MATCH],
        request={"application/json": body_schema(PortfolioChange)},
        responses={(200, "application/json"): body_schema(PortfolioDetail)},
    )
    def patch(self, request: Request, portfolio_id: UUID) -> Response:
        """Change what is given; the currency only while there is no asset."""
        asked = decode_body(request, PortfolioChange)
        changed = update_portfolio(
            portfolio_of(request, portfolio_id),
            name=None if asked.name is UNSET else asked.name,
            currency=None if asked.currency is UNSET else asked.currency,
            precondition=Precondition.of(request),
        )
        return tagged(changed)

    @extend_schema(
        operation_id="portfolios_delete", parameters=[IF_MATCH], responses={204: None}
    )
    def delete(self, request: Request, portfolio_id: UUID) -> Response:
        """Delete it with all its assets and assessments."""
        delete_portfolio(
            portfolio_of(request, portfolio_id), precondition=Precondition.of(request)
        )
        return Response(status=204)


def portfolio_of(request: Request, portfolio_id: UUID) -> Portfolio:
    return get_portfolio(get_principal(request).organisation, portfolio_id)


def tagged(portfolio: Portfolio) -> Response:
    return Response(
        portfolio_body(portfolio), headers={"ETag": portfolio_tag(portfolio)}
    )


def portfolio_body(portfolio: Portfolio) -> dict[str, Any]:
    return {
        "id": str(portfolio.pk),
        "name": portfolio.name,
        "currency": portfolio.currency,
        "revision": portfolio.revision,
        "asset_count": portfolio.asset_count,
        "total_value": money_text(portfolio.total_value),
        "outside": {
            "count": portfolio.outside_count,
            "value": money_text(portfolio.outside_value),
        },
        "created_at": portfolio.created_at,
        "updated_at": portfolio.updated_at,
    }
