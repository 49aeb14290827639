"""Money in and out: decimal text with two places."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from riskplatform.api.inputs import invalid_input

Money = Annotated[
    Decimal,
    Meta(description="Not negative, below 10^18, as text; rounded to two places."),
]
CENT = Decimal("0.01")
BEYOND = Decimal(10**18)


def parse_money(value: Decimal, *, pointer: str) -> Decimal:
    """Round to the cent; what is negative, endless or not a number is refused."""
    if not value.is_finite() or not 0 <= value < BEYOND:
        raise invalid_input(pointer, "An amount lies between 0 and 10^18.")
    rounded = to_cents(value)
    if rounded >= BEYOND:
        raise invalid_input(pointer, "An amount lies between 0 and 10^18.")
    return rounded


def to_cents(value: Decimal | int) -> Decimal:
    return Decimal(value).quantize(CENT)
