"""Types of fields that several endpoints take or give."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from riskplatform.kernel.errors import InvalidInputError

Slug = Annotated[
    str, Meta(pattern=r"^[-a-zA-Z0-9_]{1,50}$", description="Slug of a region.")
]
HorizonSec = Annotated[
    int, Meta(ge=1, le=366 * 86_400, description="Seconds ahead that are forecast.")
]
Probability = Annotated[float, Meta(ge=0, le=1)]
EventProbability = Annotated[
    float,
    Meta(ge=0, le=1, description="Of at least one event within the horizon."),
]
RiskQuantile = Annotated[
    float,
    Meta(
        ge=0,
        le=1,
        description="Quantile of the probability of an event over what is not known of "
        "the rate of the cell; p_event lies between q05 and q95.",
    ),
]
CellId = Annotated[
    int | str, Meta(description="H3 index: a 64-bit integer, or text in hex.")
]

# Text without control characters: PostgreSQL cannot store a NUL. In Python `$` also
# stands before a newline that ends the text, so patterns rule that out by themselves.
PLAIN = r"^(?![\s\S]*[\u0000-\u001f\u007f])"

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=PLAIN)]
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=PLAIN,
        description="The client's own name of it, unique in the portfolio.",
    ),
]

MAX_CELLS = 20_000
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
