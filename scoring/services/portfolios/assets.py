"""Writes of single assets. Each function is one use case and one transaction."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from riskplatform.api.preconditions import ANY_STATE, Precondition
from scoring.errors import AssetReferenceTakenError
from scoring.models import Asset, AssetPlace, Portfolio
from scoring.selectors.portfolios import get_asset
from scoring.services.portfolios.asset_places import hold_cells_still, place_assets
from scoring.services.portfolios.portfolios import lock_portfolio
from scoring.services.portfolios.totals import settle_portfolios

COORDINATES = frozenset({"lat", "lon"})


@transaction.atomic
def create_asset(portfolio: Portfolio, *, values: Mapping[str, Any]) -> Asset:
    """Add an asset and place it; `values` are valid columns of it."""
    hold_cells_still()
    locked = lock_portfolio(portfolio.organisation, portfolio.pk)
    asset = Asset(portfolio=locked, **values)
    _save(asset)
    place_assets([asset.pk], [asset.lat], [asset.lon])
    settle_portfolios([locked.pk])
    return get_asset(locked, asset.pk)


@transaction.atomic
def update_asset(
    asset: Asset, *, values: Mapping[str, Any], precondition: Precondition = ANY_STATE
) -> Asset:
    """Change the columns given; a place that changes is looked up again."""
    hold_cells_still()
    portfolio = lock_portfolio(asset.portfolio.organisation, asset.portfolio_id)
    current = get_asset(portfolio, asset.pk)
    precondition.check(asset_tag(current))
    changed = {
        name: value for name, value in values.items() if getattr(current, name) != value
    }
    if not changed:
        return current
    for name, value in changed.items():
        setattr(current, name, value)
    current.updated_at = timezone.now()
    _save(current)
    if COORDINATES & changed.keys():
        AssetPlace.objects.filter(asset=current).delete()
        place_assets([current.pk], [current.lat], [current.lon])
    settle_portfolios([portfolio.pk])
    return get_asset(portfolio, asset.pk)


@transaction.atomic
def delete_asset(asset: Asset, *, precondition: Precondition = ANY_STATE) -> None:
    portfolio = lock_portfolio(asset.portfolio.organisation, asset.portfolio_id)
    current = get_asset(portfolio, asset.pk)
    precondition.check(asset_tag(current))
    current.delete()
    settle_portfolios([portfolio.pk])


def asset_tag(asset: Asset) -> str:
    """Name the state of an asset and of its places, which are to be prefetched."""
    changed_us = int(asset.updated_at.timestamp() * 1_000_000)
    places = "".join(f".{place.h3:x}" for place in asset.places.all())
    return f'"{asset.pk.hex}.{changed_us}{places}"'


def _save(asset: Asset) -> None:
    try:
        with transaction.atomic():
            asset.save()
    except IntegrityError:
        raise AssetReferenceTakenError(
            f"The portfolio has an asset {asset.reference!r} already."
            " Change that one, or use another reference.",
            reference=asset.reference,
        ) from None
