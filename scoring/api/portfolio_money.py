"""Money in and out: decimal text with two places."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from riskplatform.kernel.errors import InvalidInputError

Money = Annotated[
    Decimal,
    Meta(description="Not negative, below 10^18, as text; rounded to two places."),
]
CENT = Decimal("0.01")
BEYOND = Decimal(10**18)


def parse_money(value: Decimal, *, field: str) -> Decimal:
    """Round to the cent; what is negative, endless or not a number is refused."""
    if not value.is_finite() or not 0 <= value < BEYOND:
        raise InvalidInputError("An amount lies between 0 and 10^18.", field=field)
    rounded = to_cents(value)
    if rounded >= BEYOND:
        raise InvalidInputError("An amount lies between 0 and 10^18.", field=field)
    return rounded


def to_cents(value: Decimal | int) -> Decimal:
    return Decimal(value).quantize(CENT)
