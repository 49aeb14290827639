"""The span of time that the platform stores and answers about."""

from datetime import UTC, datetime
from typing import Annotated, Final

from msgspec import Meta

AwareTime = Annotated[
    datetime, Meta(tz=True, description="RFC 3339 time with an offset.")
]
# ClickHouse's DateTime64 holds times from EARLIEST on, and some years beyond LATEST.
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2286, 1, 1, tzinfo=UTC)
SPAN: Final = f"{EARLIEST.year} to {LATEST.year - 1}"


def utc_text(moment: datetime) -> str:
    """Write a time in UTC as all answers do, with a Z."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def is_storable(moment: datetime) -> bool:
    """Say whether a time with an offset lies within the span."""
    return EARLIEST <= moment < LATEST
