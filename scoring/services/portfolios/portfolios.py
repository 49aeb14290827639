"""Writes of portfolios, single assets and vulnerabilities, each one transaction."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError
from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from riskplatform.api.preconditions import ANY_STATE, Precondition
from riskplatform.kernel.changes import publish_changes
from riskplatform.kernel.errors import FieldFault, InvalidInputError
from scoring import change_names
from scoring.errors import (
    AssetReferenceTakenError,
    CurrencyInUseError,
    PortfolioNameTakenError,
    VulnerabilityInUseError,
    VulnerabilityNotFoundError,
    VulnerabilityTakenError,
    require,
)
from scoring.models import Asset, AssetPlace, Portfolio, Vulnerability
from scoring.selectors.portfolios import get_asset, no_portfolio
from scoring.services.portfolios.asset_rows import (
    delete_assets,
    hold_cells_still,
    place_assets,
    settle_portfolios,
)
from scoring.services.unique import unique_or

COORDINATES = frozenset({"lat", "lon"})
TERMS = frozenset({"deductible", "limit"})
MAX_POINTS = 200

# Severity and damage ratio.
Point = Sequence[float]


def create_portfolio(
    organisation: Organisation, *, name: str, currency: str
) -> Portfolio:
    portfolio = Portfolio(organisation=organisation, name=name, currency=currency)
    _save(portfolio)
    return portfolio


@transaction.atomic
def update_portfolio(
    portfolio: Portfolio,
    *,
    name: str | None = None,
    currency: str | None = None,
    precondition: Precondition = ANY_STATE,
) -> Portfolio:
    """Change what is given.

    Raises
    ------
    CurrencyInUseError
        It has assets: their values would silently become other amounts.
    """
    locked = lock_portfolio(portfolio.organisation, portfolio.pk)
    precondition.check(portfolio_tag(locked))
    if currency not in {None, locked.currency} and locked.asset_count:
        raise CurrencyInUseError(
            f"The portfolio has {locked.asset_count} assets valued in"
            f" {locked.currency}. Make another portfolio for {currency}.",
            currency=locked.currency,
        )
    locked.name = name or locked.name
    locked.currency = currency or locked.currency
    _save(locked)
    publish_changes(change_names.portfolio(locked.pk))
    return locked


@transaction.atomic
def delete_portfolio(
    portfolio: Portfolio, *, precondition: Precondition = ANY_STATE
) -> None:
    """Delete it with all its assets and what was computed from them."""
    locked = lock_portfolio(portfolio.organisation, portfolio.pk)
    precondition.check(portfolio_tag(locked))
    delete_assets(Asset.objects.filter(portfolio=locked))
    publish_changes(
        change_names.portfolio(locked.pk),
        change_names.assessments_of(locked.pk),
        change_names.alerts_of(locked.organisation_id),
    )
    locked.delete()


def portfolio_tag(portfolio: Portfolio) -> str:
    """Name the state of a portfolio: its own columns and its assets."""
    changed_us = int(portfolio.updated_at.timestamp() * 1_000_000)
    return f'"{portfolio.pk.hex}.{portfolio.revision}.{changed_us}"'


def lock_portfolio(organisation: Organisation, portfolio_id: UUID) -> Portfolio:
    """Find a portfolio of the organisation and keep other writers out of it."""
    mine = Portfolio.objects.for_organisation(organisation).select_for_update()
    return require(mine.filter(pk=portfolio_id).first(), no_portfolio(portfolio_id))


def _save(portfolio: Portfolio) -> None:
    try:
        portfolio.clean_fields()
    except ValidationError as error:
        faults = [
            FieldFault(name, reason)
            for name, reasons in error.message_dict.items()
            for reason in reasons
        ]
        raise InvalidInputError(faults[0].reason, faults=faults) from error
    reason = f"A portfolio is called {portfolio.name!r} already. Use another name."
    with unique_or(PortfolioNameTakenError(reason, name=portfolio.name)):
        portfolio.save()


@transaction.atomic
def create_asset(portfolio: Portfolio, *, values: Mapping[str, Any]) -> Asset:
    """Add an asset and place it; `values` are valid columns of it."""
    hold_cells_still()
    locked = lock_portfolio(portfolio.organisation, portfolio.pk)
    asset = Asset(portfolio=locked, **values)
    _save_asset(asset)
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
    if TERMS & changed.keys():
        # Those that somebody sets are in the place of those of the file.
        current.ignored_terms = ""
    current.updated_at = timezone.now()
    _save_asset(current)
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


def _save_asset(asset: Asset) -> None:
    taken = AssetReferenceTakenError(
        f"The portfolio has an asset {asset.reference!r} already."
        " Change that one, or use another reference.",
        reference=asset.reference,
    )
    with unique_or(taken):
        asset.save()


def create_vulnerability(
    organisation: Organisation, *, slug: str, name: str, points: Sequence[Point]
) -> Vulnerability:
    """Make a curve; it is never changed, because assessments depend on it."""
    check_points(points)
    vulnerability = Vulnerability(
        organisation=organisation,
        slug=slug,
        name=name,
        points=[list(point) for point in points],
    )
    taken = VulnerabilityTakenError(
        f"There is a vulnerability {slug!r} already."
        " A curve is not changed: make one with another slug.",
        vulnerability=slug,
    )
    with unique_or(taken):
        vulnerability.save()
    return vulnerability


def delete_vulnerability(organisation: Organisation, *, slug: str) -> None:
    """Delete one of the organisation's own; those that all share stay."""
    mine = Vulnerability.objects.filter(organisation=organisation, slug=slug)
    try:
        with transaction.atomic():
            deleted, _ = mine.delete()
    # An asset that came in meanwhile shows when the transaction ends.
    except (RestrictedError, IntegrityError):
        raise VulnerabilityInUseError(
            f"Assets use the vulnerability {slug!r}. Give them another one first.",
            vulnerability=slug,
        ) from None
    if not deleted:
        raise VulnerabilityNotFoundError(
            f"The organisation has no vulnerability {slug!r} of its own.",
            vulnerability=slug,
        )


def check_points(points: Sequence[Point]) -> None:
    """Require finite severities that ascend, and damage ratios within [0, 1]."""
    if not 1 <= len(points) <= MAX_POINTS:
        raise InvalidInputError(
            f"A curve has 1 to {MAX_POINTS} points.", field="points"
        )
    before = -math.inf
    for index, (severity, ratio) in enumerate(points):
        if not math.isfinite(severity) or severity <= before:
            raise InvalidInputError(
                "Severities are finite and ascend.", field=("points", index, 0)
            )
        if not 0 <= ratio <= 1:
            raise InvalidInputError(
                "A damage ratio lies between 0 and 1.", field=("points", index, 1)
            )
        before = severity
