"""Assets of a portfolio: list, make, read, change, delete, and import from a file."""

from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from analytics.grid import CellDigits
from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router, WithHeaders
from riskplatform.api.inputs import given_in
from riskplatform.api.keys.access import Access, find_access, may_see_region
from riskplatform.api.keys.models import Organisation
from riskplatform.api.paging import Page, PageQuery, page_of
from riskplatform.api.preconditions import Precondition
from riskplatform.kernel.errors import InvalidInputError
from riskplatform.kernel.instants import AwareTime
from scoring.api.access import find_region
from scoring.api.portfolios import (
    PORTFOLIO,
    READERS,
    WRITERS,
    CurveSlug,
    portfolio_of,
)
from scoring.api.schemas import PLAIN, Money, Reference, Slug, parse_money, to_cents
from scoring.cell_ids import hex_of
from scoring.models import Asset, AssetPlace, Portfolio
from scoring.selectors.portfolios import find_vulnerabilities, get_asset, list_assets
from scoring.services.portfolios.portfolios import (
    asset_tag,
    create_asset,
    delete_asset,
    update_asset,
)

router = Router()
ASSETS = f"{PORTFOLIO}/assets"
ASSET = f"{ASSETS}/<uuid:asset_id>"
AMOUNTS = ("value", "deductible", "limit")

Latitude = Annotated[float, Meta(ge=-90, le=90, description="Degrees north.")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="Degrees east.")]


class AssetQuery(PageQuery, forbid_unknown_fields=True):
    region: Slug | None = None
    reference: Reference | None = None
    outside: (
        Annotated[
            bool, Meta(description="true: only those in no region; false: the others.")
        ]
        | None
    ) = None


class NewAsset(Struct, forbid_unknown_fields=True):
    reference: Reference
    lat: Latitude
    lon: Longitude
    value: Money
    name: Annotated[str, Meta(max_length=200, pattern=PLAIN)] = ""
    deductible: Money = Decimal(0)
    limit: Money | None = None
    vulnerability: CurveSlug | None = None


class AssetChange(Struct, forbid_unknown_fields=True):
    reference: Reference | UnsetType = UNSET
    lat: Latitude | UnsetType = UNSET
    lon: Longitude | UnsetType = UNSET
    value: Money | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=200, pattern=PLAIN)] | UnsetType = UNSET
    deductible: Money | UnsetType = UNSET
    limit: Money | UnsetType | None = UNSET
    vulnerability: CurveSlug | UnsetType | None = UNSET


class AssetCell(Struct):
    region: str
    cell_id: CellDigits
    cell_hex: str

    @classmethod
    def of(cls, place: AssetPlace) -> Self:
        return cls(
            region=place.region.slug, cell_id=str(place.h3), cell_hex=hex_of(place.h3)
        )


class AssetDetail(Struct):
    id: UUID
    reference: str
    name: str
    lat: Latitude
    lon: Longitude
    value: Money
    deductible: Money
    limit: Money | None
    currency: str
    vulnerability: str | None
    places: list[AssetCell]
    is_outside: bool
    updated_at: AwareTime

    @classmethod
    def of(cls, asset: Asset, portfolio: Portfolio, *, access: Access) -> Self:
        """Describe an asset; places in regions that may not be seen are left out."""
        places = list(asset.places.all())
        return cls(
            id=asset.pk,
            reference=asset.reference,
            name=asset.name,
            lat=asset.lat,
            lon=asset.lon,
            value=to_cents(asset.value),
            deductible=to_cents(asset.deductible),
            limit=None if asset.limit is None else to_cents(asset.limit),
            currency=portfolio.currency,
            vulnerability=getattr(asset.vulnerability, "slug", None),
            places=[
                AssetCell.of(place)
                for place in places
                if may_see_region(access, place.region)
            ],
            is_outside=not places,
            updated_at=asset.updated_at,
        )


@router.get(ASSETS, READERS)
def assets_list(
    request: Request, portfolio_id: UUID, query: AssetQuery
) -> Page[AssetDetail]:
    """List the assets of a portfolio."""
    portfolio = portfolio_of(request, portfolio_id)
    access = find_access(request)
    assets = list_assets(
        portfolio,
        region=None if query.region is None else find_region(request, query.region),
        reference=query.reference,
        outside=query.outside,
    )
    return page_of(
        assets, query, lambda asset: AssetDetail.of(asset, portfolio, access=access)
    )


@router.post(ASSETS, WRITERS, status=201)
def assets_create(
    request: Request, portfolio_id: UUID, body: NewAsset
) -> Once[AssetDetail]:
    """Add one asset; many come quicker by `assets/import`."""
    portfolio, access = portfolio_of(request, portfolio_id), find_access(request)
    values = _columns(body, portfolio.organisation)
    return Once(
        lambda: AssetDetail.of(
            create_asset(portfolio, values=values), portfolio, access=access
        )
    )


@router.get(ASSET, READERS)
def assets_read(
    request: Request, portfolio_id: UUID, asset_id: UUID
) -> WithHeaders[AssetDetail]:
    """Give one asset with the cells that it lies in."""
    portfolio = portfolio_of(request, portfolio_id)
    return _tagged(request, get_asset(portfolio, asset_id), portfolio)


@router.patch(ASSET, WRITERS)
def assets_update(
    request: Request,
    portfolio_id: UUID,
    asset_id: UUID,
    body: AssetChange,
    precondition: Precondition,
) -> WithHeaders[AssetDetail]:
    """Change what is given; null takes a limit or a vulnerability away."""
    portfolio = portfolio_of(request, portfolio_id)
    asset = update_asset(
        get_asset(portfolio, asset_id),
        values=_columns(body, portfolio.organisation),
        precondition=precondition,
    )
    return _tagged(request, asset, portfolio)


@router.delete(ASSET, WRITERS)
def assets_delete(
    request: Request, portfolio_id: UUID, asset_id: UUID, precondition: Precondition
) -> None:
    """Delete one asset."""
    portfolio = portfolio_of(request, portfolio_id)
    delete_asset(get_asset(portfolio, asset_id), precondition=precondition)


def _tagged(
    request: Request, asset: Asset, portfolio: Portfolio
) -> WithHeaders[AssetDetail]:
    detail = AssetDetail.of(asset, portfolio, access=find_access(request))
    return WithHeaders(detail, {"ETag": asset_tag(asset)})


def _columns(
    body: NewAsset | AssetChange, organisation: Organisation
) -> dict[str, Any]:
    """Turn what is given into columns of the asset."""
    given = given_in(body)
    for name in AMOUNTS:
        if given.get(name) is not None:
            given[name] = parse_money(given[name], field=name)
    if (slug := given.get("vulnerability")) is not None:
        known = find_vulnerabilities(organisation, [slug])
        if slug not in known:
            raise InvalidInputError(
                f"There is no vulnerability {slug!r}.", field="vulnerability"
            )
        given["vulnerability"] = known[slug]
    return given
