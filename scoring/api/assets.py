"""Assets of a portfolio: list, make, read, change, delete."""

from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import (
    body_schema,
    decode_body,
    decode_query,
    invalid_input,
    query_parameters,
)
from riskplatform.api.keys.access import Access, find_access, may_see_region
from riskplatform.api.keys.models import Organisation
from riskplatform.api.paging import page_of
from riskplatform.api.preconditions import IF_MATCH, Precondition
from scoring.api.access import find_region
from scoring.api.portfolio_money import money_text, parse_money
from scoring.api.portfolio_schemas import (
    AssetChange,
    AssetDetail,
    AssetList,
    AssetQuery,
    NewAsset,
)
from scoring.api.portfolios import PortfolioView, portfolio_of
from scoring.cell_ids import hex_of
from scoring.models import Asset, AssetPlace, Portfolio
from scoring.selectors.portfolios import find_vulnerabilities, get_asset, list_assets
from scoring.services.portfolios.assets import (
    asset_tag,
    create_asset,
    delete_asset,
    update_asset,
)

AMOUNTS = ("value", "deductible", "limit")


class AssetListView(PortfolioView):
    @extend_schema(
        operation_id="assets_list",
        parameters=query_parameters(AssetQuery),
        responses={(200, "application/json"): body_schema(AssetList)},
    )
    def get(self, request: Request, portfolio_id: UUID) -> Response:
        query = decode_query(request, AssetQuery)
        portfolio = portfolio_of(request, portfolio_id)
        access = find_access(request)
        assets = list_assets(
            portfolio,
            region=None if query.region is None else find_region(request, query.region),
            reference=query.reference,
            outside=query.outside,
        )

        def render(asset: Asset) -> dict[str, Any]:
            return asset_body(asset, portfolio, access=access)

        return Response(page_of(assets, query, render))

    @extend_schema(
        operation_id="assets_create",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(NewAsset)},
        responses={(201, "application/json"): body_schema(AssetDetail)},
    )
    def post(self, request: Request, portfolio_id: UUID) -> HttpResponse:
        """Add one asset; many come quicker by `assets/import`."""
        asked = decode_body(request, NewAsset)
        portfolio = portfolio_of(request, portfolio_id)
        values = _columns(asked, portfolio.organisation)

        def create() -> dict[str, Any]:
            asset = create_asset(portfolio, values=values)
            return asset_body(asset, portfolio, access=find_access(request))

        return answer_creation(request, create)


class AssetDetailView(PortfolioView):
    @extend_schema(
        operation_id="assets_read",
        responses={(200, "application/json"): body_schema(AssetDetail)},
    )
    def get(self, request: Request, portfolio_id: UUID, asset_id: UUID) -> Response:
        portfolio = portfolio_of(request, portfolio_id)
        return _tagged(request, get_asset(portfolio, asset_id), portfolio)

    @extend_schema(
        operation_id="assets_update",
        parameters=[IF_MATCH],
        request={"application/json": body_schema(AssetChange)},
        responses={(200, "application/json"): body_schema(AssetDetail)},
    )
    def patch(self, request: Request, portfolio_id: UUID, asset_id: UUID) -> Response:
        """Change what is given; null takes a limit or a vulnerability away."""
        asked = decode_body(request, AssetChange)
        portfolio = portfolio_of(request, portfolio_id)
        asset = update_asset(
            get_asset(portfolio, asset_id),
            values=_columns(asked, portfolio.organisation),
            precondition=Precondition.of(request),
        )
        return _tagged(request, asset, portfolio)

    @extend_schema(
        operation_id="assets_delete", parameters=[IF_MATCH], responses={204: None}
    )
    def delete(self, request: Request, portfolio_id: UUID, asset_id: UUID) -> Response:
        asset = get_asset(portfolio_of(request, portfolio_id), asset_id)
        delete_asset(asset, precondition=Precondition.of(request))
        return Response(status=204)


def asset_body(asset: Asset, portfolio: Portfolio, *, access: Access) -> dict[str, Any]:
    """Describe an asset; places in regions that may not be seen are left out."""
    places = list(asset.places.all())
    curve = asset.vulnerability
    return {
        "id": str(asset.pk),
        "reference": asset.reference,
        "name": asset.name,
        "lat": asset.lat,
        "lon": asset.lon,
        "value": money_text(asset.value),
        "deductible": money_text(asset.deductible),
        "limit": None if asset.limit is None else money_text(asset.limit),
        "currency": portfolio.currency,
        "vulnerability": None if curve is None else curve.slug,
        "places": [
            _place(place) for place in places if may_see_region(access, place.region)
        ],
        "is_outside": not places,
        "updated_at": asset.updated_at,
    }


def _place(place: AssetPlace) -> dict[str, Any]:
    return {
        "region": place.region.slug,
        "cell_id": place.h3,
        "cell_hex": hex_of(place.h3),
    }


def _tagged(request: Request, asset: Asset, portfolio: Portfolio) -> Response:
    body = asset_body(asset, portfolio, access=find_access(request))
    return Response(body, headers={"ETag": asset_tag(asset)})


def _columns(
    asked: NewAsset | AssetChange, organisation: Organisation
) -> dict[str, Any]:
    """Turn what is given into columns of the asset."""
    given = {
        name: value
        for name, value in msgspec.structs.asdict(asked).items()
        if value is not UNSET
    }
    for name in AMOUNTS:
        if given.get(name) is not None:
            given[name] = parse_money(given[name], pointer=f"/{name}")
    slug = given.get("vulnerability")
    if slug is not None:
        known = find_vulnerabilities(organisation, [slug])
        if slug not in known:
            raise invalid_input(
                "/vulnerability", f"There is no vulnerability {slug!r}."
            )
        given["vulnerability"] = known[slug]
    return given
