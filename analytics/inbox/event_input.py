"""An event as clients send it; the struct parses, validates and documents it."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, ValidationError

from analytics.ingest.events import DEFAULT_EVENT_TYPE
from riskplatform.api.inputs import explained

MAX_REASON_CHARS = 300
Name = Annotated[str, Meta(min_length=1, max_length=200)]
SourceName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,48}$",
        description="Where the event comes from; ids are unique within it.",
    ),
]
Slug = Annotated[
    str, Meta(pattern=r"^[-a-zA-Z0-9_]{1,50}$", description="Slug of a region.")
]
AwareTime = Annotated[
    datetime, Meta(tz=True, description="RFC 3339 time with an offset.")
]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Text = Annotated[str, Meta(max_length=10_000)]
Attributes = Annotated[dict[Name, Text], Meta(max_length=100)]


class EventInput(Struct, forbid_unknown_fields=True, gc=False):
    """One event; one that comes again with other values is a correction."""

    external_id: Annotated[Name, Meta(description="What the source calls the event.")]
    occurred_at: AwareTime | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    event_type: Name = DEFAULT_EVENT_TYPE
    severity: float | None = None
    amount: float | None = None
    attributes: Attributes = {}
    region: Slug | None = None
    source: SourceName | None = None
    retracted: Annotated[
        bool, Meta(description="It never happened; only the id is needed then.")
    ] = False


class Refusal(Struct, frozen=True):
    """Why a row was not accepted."""

    code: str
    reason: str


def invalid_event(error: ValidationError) -> Refusal:
    return Refusal("invalid_event", f"{explained(str(error))}."[:MAX_REASON_CHARS])


ReadRow = EventInput | Refusal
