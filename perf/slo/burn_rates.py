"""How fast a budget may burn: the windows of Google's SRE workbook, chapter 5.

Both windows have to exceed the rate: the long one says that it matters, the short one
that it still goes on.
"""

import re
from dataclasses import dataclass
from typing import Final

PAGE: Final = "page"
TICKET: Final = "ticket"


SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400}


def is_window(text: str) -> bool:
    return bool(re.fullmatch(r"[1-9]\d{0,5}[mhd]", text))


def seconds_of(window: str) -> int:
    """Read a duration of PromQL, such as `30m`."""
    return int(window[:-1]) * SECONDS[window[-1]]


@dataclass(frozen=True, slots=True)
class BurnRate:
    """At `factor` times the rate that lasts for the whole window."""

    factor: float
    long: str
    short: str
    severity: str


BURN_RATES: Final = (
    BurnRate(14.4, "1h", "5m", PAGE),
    BurnRate(6.0, "6h", "30m", PAGE),
    BurnRate(3.0, "1d", "2h", TICKET),
    BurnRate(1.0, "3d", "6h", TICKET),
)


def possible(budget: float, *, severity: str, pages: bool) -> tuple[BurnRate, ...]:
    """Give the rates of a severity that there can be: no share is above one.

    What would wake somebody becomes a ticket where an objective does not page.
    """
    return tuple(
        rate
        for rate in BURN_RATES
        if rate.factor * budget < 1.0
        and (rate.severity if pages else TICKET) == severity
    )
