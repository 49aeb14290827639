"""What one request may cost: the product of its parts is bounded before any work.

Each part has a maximum of its own in the schema; what an answer costs is their product.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, prod

from django.conf import settings
from rest_framework.request import Request

from riskplatform.kernel.errors import InvalidInputError

MEGABYTE = 1_000_000
# The units of COST_LIMITS, and what an error calls them.
VALUES, MEGABYTES = "values", "megabytes"
ANONYMOUS = "anonymous_"
NAMES = {VALUES: "computed values", MEGABYTES: "MB of answer"}


class CostError(InvalidInputError):
    """`asked` is more than `limit`, of `unit`; a key has `limit_with_key`."""

    code = "request_too_costly"
    title = "The request asks for too much at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a request contains, by name and number, and what each combination costs.

    Parameters
    ----------
    factors
        Such as cells and scenarios, by the client's own words.
    bytes_each
        Of the answer, rounded up.
    values_each
        Numbers that are computed for it; none where they are stored.
    field
        Where the client said it.
    advice
        A sentence that says how to request less.
    """

    factors: Mapping[str, int]
    bytes_each: int
    values_each: int = 0
    field: str
    advice: str

    def amounts(self) -> dict[str, int]:
        """Give what it comes to, by unit."""
        count = prod(self.factors.values())
        return {
            VALUES: count * self.values_each,
            MEGABYTES: ceil(count * self.bytes_each / MEGABYTE),
        }

    def __str__(self) -> str:
        return " x ".join(f"{number:,} {name}" for name, number in self.factors.items())


def check_cost(request: Request, product: Product) -> None:
    """Refuse a request that costs more than the limit, which is lower without a key.

    Raises
    ------
    CostError
        Names the product, the limit and what to do.
    """
    limits: Mapping[str, int] = settings.COST_LIMITS
    prefix = "" if _is_known(request) else ANONYMOUS
    for unit, amount in product.amounts().items():
        limit = limits[prefix + unit]
        if amount > limit:
            raise _error(product, unit, amount, limit, with_key=limits[unit])


def _error(
    product: Product, unit: str, amount: int, limit: int, *, with_key: int
) -> CostError:
    reason = (
        f"{product} make {amount:,} {NAMES[unit]}; one request may ask for {limit:,}."
        f" {product.advice}"
    )
    if with_key > limit:
        reason += f" With an API key it is {with_key:,}."
    return CostError(
        reason,
        field=product.field,
        asked=amount,
        unit=unit,
        limit=limit,
        limit_with_key=with_key,
    )


def _is_known(request: Request) -> bool:
    """Return whether a key or a session stands behind the request."""
    return request.auth is not None or request.user.is_authenticated
