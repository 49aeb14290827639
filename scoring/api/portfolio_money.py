"""Money in and out: decimal text with two places."""

from decimal import Decimal

from riskplatform.api.inputs import invalid_input

CENT = Decimal("0.01")
BEYOND = Decimal(10**18)


def parse_money(value: Decimal, *, pointer: str) -> Decimal:
    """Round to the cent; what is negative, endless or not a number is refused."""
    if not value.is_finite() or not 0 <= value < BEYOND:
        raise invalid_input(pointer, "An amount lies between 0 and 10^18.")
    rounded = value.quantize(CENT)
    if rounded >= BEYOND:
        raise invalid_input(pointer, "An amount lies between 0 and 10^18.")
    return rounded


def money_text(value: Decimal | int) -> str:
    return f"{value:.2f}"
