"""Writes of portfolios. Each function is one use case and one transaction."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from riskplatform.api.keys.models import Organisation
from riskplatform.api.preconditions import ANY_STATE, Precondition
from riskplatform.kernel.changes import announce
from riskplatform.kernel.errors import FieldFault, InvalidInputError
from scoring import change_names
from scoring.errors import (
    CurrencyInUseError,
    PortfolioNameTakenError,
    PortfolioNotFoundError,
)
from scoring.models import Asset, Portfolio
from scoring.services.portfolios.asset_rows import delete_assets


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
    announce(change_names.portfolio(locked.pk))
    return locked


@transaction.atomic
def delete_portfolio(
    portfolio: Portfolio, *, precondition: Precondition = ANY_STATE
) -> None:
    """Delete it with all its assets and what was computed from them."""
    locked = lock_portfolio(portfolio.organisation, portfolio.pk)
    precondition.check(portfolio_tag(locked))
    delete_assets(Asset.objects.filter(portfolio=locked))
    announce(
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
    mine = Portfolio.objects.for_organisation(organisation)
    try:
        return mine.select_for_update().get(pk=portfolio_id)
    except Portfolio.DoesNotExist:
        raise PortfolioNotFoundError(
            f"There is no portfolio {portfolio_id}.", portfolio_id=str(portfolio_id)
        ) from None


def _save(portfolio: Portfolio) -> None:
    try:
        portfolio.clean_fields()
    except ValidationError as error:
        raise _invalid(error) from error
    try:
        with transaction.atomic():
            portfolio.save()
    except IntegrityError:
        raise PortfolioNameTakenError(
            f"A portfolio is called {portfolio.name!r} already. Use another name.",
            name=portfolio.name,
        ) from None


def _invalid(error: ValidationError) -> InvalidInputError:
    faults = [
        FieldFault(name, reason)
        for name, reasons in error.message_dict.items()
        for reason in reasons
    ]
    return InvalidInputError(faults[0].reason, faults=faults)
