"""Times in queries: those that the event store can hold."""

from datetime import datetime

from analytics.clickhouse import EARLIEST, LATEST
from riskplatform.api.inputs import invalid_input


def checked_instant(moment: datetime | None, *, name: str) -> datetime | None:
    """Refuse a time that no event can have."""
    if moment is not None and not EARLIEST <= moment < LATEST:
        span = f"{EARLIEST.year} to {LATEST.year - 1}"
        raise invalid_input(f"/{name}", f"{name} lies in the years {span}.")
    return moment
