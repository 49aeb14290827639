"""The names by which changes of scoring are published (`riskplatform.kernel.changes`).

A write publishes them; a cached response says which it depends on.
"""

from typing import Final
from uuid import UUID

# Which regions there are, whose they are, who sees them, and what cells they have.
REGIONS: Final = "regions"


def forecasts_of(region_slug: str) -> str:
    """Name what is forecast for a region, and the region's own columns."""
    return f"forecast:{region_slug}"


def portfolio(portfolio_id: UUID) -> str:
    """Name a portfolio and its assets."""
    return f"portfolio:{portfolio_id}"


def assessments_of(portfolio_id: UUID) -> str:
    """Name what assessments of a portfolio are stored."""
    return f"assessments:{portfolio_id}"


def alerts_of(organisation_id: int) -> str:
    """Name the alert rules and alerts of an organisation."""
    return f"alerts:{organisation_id}"
